// SPDX-License-Identifier: GPL-2.0-or-later
// What both ways of reading a WireGuard device share.
#pragma once

#include <chrono>
#include <optional>

#include "agent/base/tunnel.hh"

namespace wigeon::netlink {

// The most peers the kernel lets a device have (MAX_PEERS_PER_DEVICE); no read gives
// more.
inline constexpr size_t kMaxPeersRead = 1 << 20;

// Peers by key, each once, the later mentions' allowed IPs added to the first; allowed
// IPs sorted, each once.
void tidy(ObservedDevice& device);

// Empty when it is out of system_clock's range.
std::optional<std::chrono::system_clock::time_point> since_epoch(int64_t seconds,
                                                                 int64_t nanoseconds);

}  // namespace wigeon::netlink
