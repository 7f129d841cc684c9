// SPDX-License-Identifier: GPL-2.0-or-later
// How long to wait between two looks at a WireGuard device when nobody tells of changes
// (tunnel_watch.hh).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

namespace wigeon::bpf {

inline constexpr std::chrono::milliseconds kPollAtLeast{1'000};
inline constexpr std::chrono::milliseconds kPollAtMost{30'000};
inline constexpr int kPollPauses = 200;  // intervals as long as a look: 0.5 % of a CPU
// Measured: 0.6 to 0.72 µs a peer for 10,000 peers.
inline constexpr std::chrono::nanoseconds kDumpPerPeer{700};

// `last_dump_cost`: CPU time that the last look took, reading and comparing. Absent when
// there was none; then it is guessed from the number of peers.
constexpr std::chrono::milliseconds poll_interval(
    size_t peers, std::optional<std::chrono::nanoseconds> last_dump_cost) {
  using std::chrono::nanoseconds;
  constexpr nanoseconds kDearest = nanoseconds(kPollAtMost) / kPollPauses;
  constexpr auto kMostPeers = static_cast<size_t>(kDearest / kDumpPerPeer);
  const nanoseconds guess =
      kDumpPerPeer * static_cast<nanoseconds::rep>(std::min(peers, kMostPeers + 1));
  const nanoseconds cost =
      std::clamp(last_dump_cost.value_or(guess), nanoseconds(0), kDearest);
  return std::max(kPollAtLeast,
                  std::chrono::ceil<std::chrono::milliseconds>(cost * kPollPauses));
}

}  // namespace wigeon::bpf
