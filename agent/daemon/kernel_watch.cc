// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/kernel_watch.hh"

#include "agent/base/marks.hh"

namespace wigeon {
namespace {

void note(const netlink::Event& e, bool on_ours, const std::string& name, uint32_t table,
          Touched& t) {
  using Kind = netlink::Event::Kind;
  switch (e.kind) {
    case Kind::link:
      if (on_ours || e.name == name) {
        t.ours |= Part::link;
        t.name_free |= e.removed;
      } else {
        t.host_links = true;
      }
      return;
    case Kind::address:
      if (on_ours)
        t.ours |= Part::addresses | Part::routes;
      else
        t.host_links = true;
      return;
    case Kind::route:
      if (on_ours || e.protocol == kRouteProtocol)
        t.ours |= Part::routes;
      else if (e.table == RT_TABLE_MAIN || e.table == table)
        t.host_routes = true;
      return;
    case Kind::rule:
      if (e.protocol == kRouteProtocol)
        t.ours |= Part::rules;
      else
        t.host_links = true;
      return;
    case Kind::settings:
      // With its link they all go, and that is told as well.
      if (!e.removed) t.ours |= Part::sysctls;
      return;
  }
}

}  // namespace

Touched touched_by(const netlink::Heard& heard, const std::string& name,
                   const std::optional<Link>& link, uint32_t port, uint32_t table) {
  if (heard.overrun)
    return {.ours = Parts::all(), .host_links = true, .host_routes = true};
  Touched t;
  for (const auto& e : heard.events)
    if (e.by == 0 || e.by != port) note(e, link && e.link == link->index, name, table, t);
  return t;
}

}  // namespace wigeon
