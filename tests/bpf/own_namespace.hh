// SPDX-License-Identifier: GPL-2.0-or-later
// A test program that includes own_namespace.cc runs in network and mount namespaces of
// its own, with a fresh BPF file system. Without the privilege for that it exits with 77
// and says what is missing.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "agent/base/network.hh"
#include "agent/base/owned.hh"

namespace wigeon::test {

// Where the BPF file system is mounted.
const std::string& bpffs();

// The namespace's own loopback device; it is down, so nothing but a test arrives on it.
inline constexpr IfIndex kLoopback{1};

// Says why and ends the whole program as skipped.
[[noreturn]] void skip(const std::string& missing);

// A TUN device that is up; it goes with this object. Packets that are written arrive on
// it.
class Tun {
 public:
  explicit Tun(const std::string& name);
  [[nodiscard]] IfIndex index() const { return index_; }
  void arrive(std::span<const uint8_t> packet) const;

 private:
  UniqueFd fd_{};
  IfIndex index_{};
};

}  // namespace wigeon::test
