// SPDX-License-Identifier: GPL-2.0-or-later
// A WireGuard link of the bench's own, down, with or without a private key; gone at the
// end. With a key the kernel computes a shared secret for every new peer.
#pragma once

#include <span>
#include <string>

#include "netlink/tunnel.hh"
#include "tests/bench/netlink/raw.h"

namespace wigeon::bench {

enum class Identity { none, set };

class Device {
 public:
  static Result<Device> make(const std::string& name, Identity identity = Identity::none,
                             std::span<const raw_peer> peers = {});
  Device(Device&& other) noexcept
      : name_(std::move(other.name_)), link_(std::exchange(other.link_, IfIndex::none)) {}
  Device& operator=(Device&&) = delete;
  ~Device();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] IfIndex link() const { return link_; }
  [[nodiscard]] int index() const { return static_cast<int>(link_); }

 private:
  Device(std::string name, IfIndex link) : name_(std::move(name)), link_(link) {}
  std::string name_{};
  IfIndex link_ = IfIndex::none;
};

// The link of this name, as somebody else made it.
Result<IfIndex> link_named(const std::string& name);
Result<void> set_up(IfIndex link);
Result<netlink::KernelTunnel> tunnel(IfIndex link);

// A raw client; its refusals as errors.
class Raw {
 public:
  static Result<Raw> open();
  static Result<Raw> open_route();
  Raw(Raw&& other) noexcept : raw_(other.raw_) { other.raw_.fd = -1; }
  Raw& operator=(Raw&&) = delete;
  ~Raw();
  raw* operator->() { return &raw_; }
  raw* get() { return &raw_; }

 private:
  Raw() = default;
  raw raw_{.fd = -1, .family = 0, .sequence = 0};
};
Result<void> checked(const char* doing, int status);

}  // namespace wigeon::bench
