// SPDX-License-Identifier: GPL-2.0-or-later
// Every number by which the kernel tells our state from other people's, drawn once.
//
//   fwmark 0x0001BD00   bits 31........20 19..........8 7......0
//                            foreign       0x1BD         use
//   The default mask covers the bits 8-16 that are ours; a packet of WireGuard's own
//   socket carries use 0. Cilium keeps 0x0f00, kube-proxy 0x4000/0x8000: both are
//   settings here.
//
//   routing table 7120 (0x1BD0), T below: in full-tunnel mode our routes, and an
//   "unreachable default" behind them in both families
//
//   rules in full-tunnel mode, both families; 105 is routing.rulePriority
//     102  l3mdev                               where there is a VRF: its tables first
//     103  to EXCLUDED lookup main              routing.exclude, upstream DNS servers
//     103  fwmark THEIRS lookup main            what carries another full tunnel
//     104  from UNDERLAY lookup main            answers, and strict rp_filter
//          IPv6: TCP from ports 1-1023 only     full_tunnel.hh says why
//     105  lookup main suppress_prefixlength 0  the host's routes, but for the default
//     106  from UNDERLAY fwmark 0 lookup T      where IPv6 does not go into the tunnel:
//     107  T without its default                TCP answers to our link, nftables turns
//     108  not fwmark unreachable               them round; everything else is closed
//     110  not fwmark lookup T                  everything else
//   Cilium holds 100, Tailscale 5210-5270, wg-quick what comes before the first one. All
//   of ours move before a rule like the last one that is somebody else's.
//
//   route/rule protocol 89           "wigeon", for rtnetlink's RTA_PROTOCOL /
//   FRA_PROTOCOL
//
//   metric 4294967295                the last resort: our unreachable routes, which any
//   other route to the same network goes before
#pragma once

#include <cstdint>

namespace wigeon {

inline constexpr uint32_t kDefaultMark = 0x1BD00;
inline constexpr uint32_t kDefaultMarkMask = 0x1FF00;
inline constexpr uint32_t kDefaultTable = 7120;
inline constexpr uint32_t kDefaultRulePriority = 105;
inline constexpr uint8_t kRouteProtocol = 89;
inline constexpr const char* kNftFamily = "inet";
inline constexpr const char* kNftTable = "wigeon";
inline constexpr uint32_t kLastResortMetric = 0xffffffff;

}  // namespace wigeon
