// SPDX-License-Identifier: GPL-2.0-or-later
// Routes. Ours carry kRouteProtocol and live in a table of our own.
//
// As the kernel reports them: metric 0 is not a metric for IPv6, it becomes 1024
// (stored_metric); an IPv6 blackhole, unreachable or prohibit route sits on "lo", which
// is read back as no device.
#pragma once

#include <linux/ipv6_route.h>

#include <vector>

#include "agent/base/network.hh"
#include "netlink/socket.hh"

namespace wigeon::netlink {

// The metric that a route added with this one is listed with.
inline uint32_t stored_metric(Family f, uint32_t metric) {
  return f == Family::v6 && metric == 0 ? uint32_t{IP6_RT_PRIO_USER} : metric;
}

// Which routes to dump; what is not named is any. The kernel leaves out the others where
// it can (4.20), and we do after it.
struct RouteFilter {
  uint32_t table = RT_TABLE_MAIN;
  uint8_t protocol = RTPROT_UNSPEC;
  IfIndex device = IfIndex::none;
};

// Both families, without cached clones. A table that does not exist is empty.
Result<std::vector<Route>> list_routes(Socket& s, const RouteFilter& filter);
inline Result<std::vector<Route>> list_routes(Socket& s, uint32_t table) {
  return list_routes(s, RouteFilter{.table = table});
}

// The same, one by one and nothing kept, for tables of any size. Read once: of a table
// that changes meanwhile it may miss some or tell one twice.
Result<void> scan_routes(Socket& s, const RouteFilter& filter,
                         const std::function<void(const Route&)>& take);

struct RouteChange {
  enum class Kind { add, remove } kind = Kind::add;
  Route route{};
};

// Carries out all of them, packed into as few sends as possible; refusals by their index
// in `changes`. Adding replaces a route with the same table, destination and metric in
// one step, without a moment in which packets take another way, and adding what is there
// already changes nothing; in the tables shared with the rest of the host (main, local,
// default) such a route may be somebody else's, and there EEXIST is a refusal. A removal
// names everything we know of the route, its protocol first of all, so that it never
// takes a foreign one; not there is success.
Result<std::vector<Refusal>> change_routes(Socket& s,
                                           std::span<const RouteChange> changes);

// One of them; a refusal is the error.
Result<void> add_route(Socket& s, const Route& r);
Result<void> remove_route(Socket& s, const Route& r);

// From RTM_NEWROUTE and RTM_DELROUTE: one for each next hop, none when it is a cached
// clone or of another family; false when malformed.
bool read_routes(const Message& m, std::vector<Route>& to);

}  // namespace wigeon::netlink
