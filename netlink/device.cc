// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/device.hh"

#include <algorithm>
#include <iterator>

#include "agent/base/sort_unique.hh"

namespace wigeon::netlink {

void tidy(ObservedDevice& device) {
  auto& peers = device.peers;
  const auto key = [](const ObservedPeer& p) -> const Key& { return p.peer.public_key; };
  std::ranges::stable_sort(peers, {}, key);  // the first mention stays first
  size_t kept = 0;
  for (size_t i = 0; i < peers.size(); ++i) {
    if (kept > 0 && key(peers[kept - 1]) == key(peers[i])) {
      std::ranges::move(peers[i].peer.allowed_ips,
                        std::back_inserter(peers[kept - 1].peer.allowed_ips));
      continue;
    }
    if (kept != i) peers[kept] = std::move(peers[i]);
    ++kept;
  }
  peers.resize(kept);
  for (auto& p : peers) sort_unique(p.peer.allowed_ips);
}

std::optional<std::chrono::system_clock::time_point> since_epoch(int64_t seconds,
                                                                 int64_t nanoseconds) {
  constexpr int64_t kBillion = 1'000'000'000;
  if (seconds < 0 || seconds >= INT64_MAX / kBillion || nanoseconds < 0 ||
      nanoseconds >= kBillion)
    return std::nullopt;
  using std::chrono::system_clock;
  return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(
      std::chrono::nanoseconds(seconds * kBillion + nanoseconds)));
}

}  // namespace wigeon::netlink
