// SPDX-License-Identifier: GPL-2.0-or-later
// Every number by which the kernel tells our state from other people's, drawn once.
//
//   fwmark 0x0001BD00   bits 31........20 19..........8 7......0
//                            foreign       0x1BD         use
//   The default mask covers the bits 8-16 that are ours; a packet of WireGuard's own
//   socket carries use 0. Cilium keeps 0x0f00, kube-proxy 0x4000/0x8000: both are
//   settings here.
//
//   routing table 7120 (0x1BD0)      rule priorities 105… (Cilium holds 100)
//   route/rule protocol 89           "wigeon", for rtnetlink's RTA_PROTOCOL /
//   FRA_PROTOCOL
#pragma once

#include <cstdint>

namespace wigeon {

inline constexpr uint32_t kDefaultMark = 0x1BD00;
inline constexpr uint32_t kDefaultMarkMask = 0x1FF00;
inline constexpr uint32_t kDefaultTable = 7120;
inline constexpr uint32_t kDefaultRulePriority = 105;
inline constexpr uint8_t kRouteProtocol = 89;

}  // namespace wigeon
