// SPDX-License-Identifier: GPL-2.0-or-later
// How often each peer may ask: kRate times a second, with bursts of as many. Memory is
// bounded; when there are more peers than places, the ones that asked least are
// forgotten, which begins them afresh.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "agent/base/ip.hh"

namespace wigeon::dns {

inline constexpr int kRate = 200;

class RateLimit {
 public:
  using Time = std::chrono::microseconds;
  explicit RateLimit(uint64_t seed) : seed_(seed) {}
  // False: this one is too many.
  bool take(const Address& peer, Time now);

  static constexpr size_t kPlaces = 4096;

 private:
  struct Bucket {
    Address peer{};
    Time full_at{};  // when all its tokens are back
  };
  uint64_t seed_;                  // so that nobody chooses whose place he shares
  std::vector<Bucket> buckets_{};  // none before the first peer asks
};

}  // namespace wigeon::dns
