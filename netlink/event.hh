// SPDX-License-Identifier: GPL-2.0-or-later
// What rtnetlink's multicast says, boiled down to what tells whether something of ours
// was touched. What exactly changed is not in here: that is observed anew.
//
// Settings are those sysctls of which the kernel tells (RTM_NEWNETCONF): forwarding,
// mc_forwarding, rp_filter, proxy_arp and proxy_ndp, bc_forwarding,
// ignore_routes_with_linkdown. It does not say who wrote them.
#pragma once

#include <string>
#include <vector>

#include "agent/base/network.hh"
#include "netlink/attr.hh"

namespace wigeon::netlink {

struct Event {
  enum class Kind { link, address, route, rule, settings } kind = Kind::link;
  bool removed = false;
  // Port of the socket whose request caused it (Socket::port), 0 when the kernel itself
  // did, or does not say: link events do not before 6.1.
  uint32_t by = 0;
  // Links, addresses, settings; routes with a single next hop. Settings of all links and
  // of those to come are told with NETCONFA_IFINDEX_ALL and NETCONFA_IFINDEX_DEFAULT.
  IfIndex link = IfIndex::none;
  std::string name{};     // links; rules: "iif"
  bool up = false;        // links: IFF_UP
  uint32_t table = 0;     // routes, rules
  uint32_t priority = 0;  // rules
  uint8_t protocol = 0;   // routes, rules

  friend bool operator==(const Event&, const Event&) = default;
};

// Appends the events of one datagram; other messages and cached routes are left out.
// False when the datagram is malformed, which means to observe everything again.
[[nodiscard]] bool read_events(Bytes datagram, std::vector<Event>& to);

}  // namespace wigeon::netlink
