// SPDX-License-Identifier: GPL-2.0-or-later
// One WireGuard device, whoever runs it. Deleting its link ends either kind.
#pragma once

#include <memory>
#include <string>

#include "agent/base/network.hh"
#include "agent/base/tunnel.hh"
#include "netlink/wireguard.hh"

namespace wigeon::netlink {

class Tunnel {
 public:
  virtual ~Tunnel() = default;
  // In tidy()'s order (device.hh).
  virtual Result<ObservedDevice> get() = 0;
  // After an error a part of it may be in force: get() again.
  virtual Result<void> set(const DeviceChange& change) = 0;
  // False: a process on this host does the packets ("Userspace" in status).
  [[nodiscard]] virtual bool kernel() const = 0;
};

// The link is held by its index: one made anew under the same name is another tunnel.
class KernelTunnel final : public Tunnel {
 public:
  KernelTunnel(WireGuard wireguard, IfIndex link)
      : wireguard_(std::move(wireguard)), link_(link) {}
  Result<ObservedDevice> get() override { return wireguard_.get(link_); }
  Result<void> set(const DeviceChange& change) override {
    return wireguard_.set(link_, change);
  }
  [[nodiscard]] bool kernel() const override { return true; }
  [[nodiscard]] const Socket::Counters& counters() const { return wireguard_.counters(); }

 private:
  WireGuard wireguard_;
  IfIndex link_;
};

// A process that serves the cross-platform interface on this socket.
class UserspaceTunnel final : public Tunnel {
 public:
  explicit UserspaceTunnel(std::string socket_path) : path_(std::move(socket_path)) {}
  Result<ObservedDevice> get() override;
  Result<void> set(const DeviceChange& change) override;
  [[nodiscard]] bool kernel() const override { return false; }

 private:
  std::string path_;
};

}  // namespace wigeon::netlink
