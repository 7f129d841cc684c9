// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/others_routing.hh"

#include <algorithm>
#include <set>

#include "agent/base/marks.hh"
#include "agent/model/judge.hh"
#include "agent/model/other_tunnels.hh"
#include "netlink/route.hh"
#include "netlink/rule.hh"

namespace wigeon {

Result<void> look_at_others_routing(uint32_t table, HostView& host) {
  auto socket = TRY(netlink::Socket::open(netlink::Protocol::route));
  host.rules = TRY(netlink::list_rules(socket));
  std::erase_if(host.rules, [](const Rule& r) { return r.protocol == kRouteProtocol; });
  std::set<uint32_t> tables;
  for (const auto& t : other_tunnels(host.rules)) tables.insert(t.table);
  for (const uint32_t t : tables)
    for (const auto& r : TRY(netlink::list_routes(socket, t)))
      if (r.type == Route::Type::unicast && is_default_like(r.destination))
        host.other_tunnels.push_back(r);
  if (table == RT_TABLE_MAIN) return {};
  host.table_foreign = TRY(netlink::list_routes(socket, table));
  host.table_held = std::erase_if(host.table_foreign, [](const Route& r) {
                      return r.protocol == kRouteProtocol;
                    }) > 0;
  return {};
}

}  // namespace wigeon
