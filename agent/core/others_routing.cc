// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/others_routing.hh"

#include <set>

#include "agent/base/marks.hh"
#include "agent/model/judge.hh"
#include "agent/model/other_tunnels.hh"
#include "netlink/route.hh"
#include "netlink/rule.hh"

namespace wigeon {

Result<void> view_others_routing(netlink::Socket& socket, uint32_t table,
                                 HostView& host) {
  host.rules = TRY(netlink::list_rules(socket));
  std::erase_if(host.rules, [](const Rule& r) { return r.protocol == kRouteProtocol; });
  std::set<uint32_t> tables;
  for (const auto& t : other_tunnels(host.rules)) tables.insert(t.table);
  for (const uint32_t t : tables)
    TRY(netlink::scan_routes(socket, {.table = t}, [&](const Route& r) {
      if (r.type == Route::Type::unicast && is_default_like(r.destination))
        host.other_tunnels.push_back(r);
    }));
  if (table == RT_TABLE_MAIN) return {};
  return netlink::scan_routes(socket, {.table = table}, [&](const Route& r) {
    if (r.protocol == kRouteProtocol)
      host.table_held = true;
    else if (!host.table_foreign)
      host.table_foreign = r;
    else
      ++host.table_foreign_more;
  });
}

}  // namespace wigeon
