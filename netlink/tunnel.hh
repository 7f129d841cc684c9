// SPDX-License-Identifier: GPL-2.0-or-later
// One WireGuard device, whoever runs it. Deleting its link ends either kind.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/network.hh"
#include "agent/base/tunnel.hh"
#include "netlink/uapi_client.hh"
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

// A process that serves the cross-platform interface on this socket. One that does not
// answer (ETIMEDOUT) is not asked again for a while, in which every call fails at once
// with the same error: 1 s, doubling to 16 s.
class UserspaceTunnel final : public Tunnel {
 public:
  static constexpr std::chrono::milliseconds kFirstPause{1000}, kLongestPause{16000};

  explicit UserspaceTunnel(std::string socket_path, uapi::Patience patience = {},
                           std::chrono::milliseconds first_pause = kFirstPause)
      : path_(std::move(socket_path)), patience_(patience), first_pause_(first_pause) {}
  Result<ObservedDevice> get() override;
  Result<void> set(const DeviceChange& change) override;
  [[nodiscard]] bool kernel() const override { return false; }

 private:
  Result<SecretText> ask(std::string_view request, const uapi::Patience& patience);

  std::string path_;
  uapi::Patience patience_;
  std::chrono::milliseconds first_pause_;
  unsigned time_outs_ = 0;  // in a row
  std::optional<Error> silent_{};
  std::chrono::steady_clock::time_point again_{};  // when silent_ is tried
};

}  // namespace wigeon::netlink
