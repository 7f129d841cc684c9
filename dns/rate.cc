// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/rate.hh"

#include <algorithm>
#include <span>

namespace wigeon::dns {
namespace {

constexpr size_t kWays = 8;  // places that a peer may have
constexpr RateLimit::Time kBurst = std::chrono::seconds(1);
constexpr RateLimit::Time kToken = kBurst / kRate;

}  // namespace

bool RateLimit::take(const Address& peer, Time now) {
  if (buckets_.empty()) buckets_.resize(kPlaces);
  constexpr uint64_t kMultiplier = 0x9fb21c651e98df25;
  const uint64_t hash = (std::hash<Address>{}(peer) ^ seed_) * kMultiplier;
  const size_t set = (hash >> 32) % (kPlaces / kWays) * kWays;
  const auto ways = std::span(buckets_).subspan(set, kWays);
  auto bucket = std::ranges::find(ways, peer, &Bucket::peer);
  if (bucket == ways.end()) {
    bucket = std::ranges::min_element(ways, {}, &Bucket::full_at);
    *bucket = {.peer = peer};
  }
  bucket->full_at = std::max(bucket->full_at, now);
  if (bucket->full_at + kToken > now + kBurst) return false;
  bucket->full_at += kToken;
  return true;
}

}  // namespace wigeon::dns
