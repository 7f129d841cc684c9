// SPDX-License-Identifier: GPL-2.0-or-later
// What the running kernel lets us do with BPF, found by trying; each answer has its
// reason.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace wigeon::bpf {

enum class Feature : uint8_t {
  tc,           // a classifier loads
  tcx,          // and can be attached by a link (Linux 6.6)
  xdp,          // an XDP program loads
  sk_lookup,    // a socket lookup program loads
  ring_buffer,  // map type
  btf,          // the kernel describes its types: CO-RE can relocate against them
  memcg,        // BPF memory counts for the cgroup, not for RLIMIT_MEMLOCK (Linux 5.11)
};
inline constexpr std::array kFeatures = {
    Feature::tc,          Feature::tcx, Feature::xdp,  Feature::sk_lookup,
    Feature::ring_buffer, Feature::btf, Feature::memcg};

std::string_view name(Feature feature);

struct Found {
  bool have = false;
  std::string why{};  // one line: "loads", "EPERM: …"
};

class Features {
 public:
  [[nodiscard]] const Found& operator[](Feature f) const {
    return found_[static_cast<size_t>(f)];
  }
  [[nodiscard]] bool have(Feature f) const { return (*this)[f].have; }

 private:
  friend Features probe();
  std::array<Found, kFeatures.size()> found_{};
};

// Loads a few programs of two instructions; attaches none and leaves nothing behind.
Features probe();

}  // namespace wigeon::bpf
