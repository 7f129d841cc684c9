// SPDX-License-Identifier: GPL-2.0-or-later
// The closed tunnel, and the routing of a host whose default route leads into it. Pure.
//
// Full tunnel (the rules are drawn in agent/base/marks.hh): our routes are in a table of
// their own, and rules say who may go round it. A packet that no route of ours takes ends
// at that table's unreachable default, also when our link has been deleted and also in a
// family that the overlay does not have.
//
// What an underlay source means. IPv4: the host's own address was the destination of what
// is answered, or the application has bound itself to it; and the kernel's check of
// arriving packets (rp_filter) asks for the way back from that address, so with the rule
// it passes in strict mode, with no sysctl and no mark on the packet. IPv6: where a route
// lookup without a source ends at "unreachable", the kernel chooses a source among all
// interfaces and asks again, so a rule by source alone would let everything out when our
// link is gone. There the nftables table marks the answers, by their connection; it sees
// a packet only once it has some way, so where IPv6 does not go into the tunnel our link
// is the way of whatever TCP comes from an underlay address and a port (a second lookup
// has no port unless the socket is bound to one, and then it ends in the tunnel). Beside,
// without nftables or without our link, answers of privileged ports have a rule.
//
// UDP servers that do not answer from the address they were asked at are not answered
// past the tunnel: such a packet is like one that this host begins, and whoever forges
// the source of a question would get those in clear.
//
// Another full tunnel (wg-quick, Tailscale): our rules go before its rule for everything,
// wherever that is, and what carries it goes round ours. So ours has the host's packets,
// and may itself be carried by the other.
#pragma once

#include "agent/model/config.hh"
#include "agent/model/network_map.hh"
#include "agent/model/state.hh"

namespace wigeon {

// The kernel goes through all rules for each lookup.
inline constexpr size_t kMaxTunnelExceptions = 256;

// Adds to d.routes that the overlay's own networks are unreachable when they are not on
// our link. Any other route to them goes before.
void close_overlay(const Config& config, const NetworkMap& map, const HostView& host,
                   Desired& d);

// Whether these routes to our link take more than half of a family.
bool takes_default(const std::vector<Route>& routes);

// When a default route is permitted and there is one among d.routes: moves the routes to
// our link into our table and adds the rules. What does not fit kMaxTunnelExceptions is
// in d.notes.
void add_full_tunnel(const Config& config, const NetworkMap& map, const HostView& host,
                     Desired& d);

}  // namespace wigeon
