// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/event.hh"

#include <linux/if_addr.h>
#include <linux/netconf.h>

#include "netlink/link.hh"
#include "netlink/route.hh"
#include "netlink/rule.hh"

namespace wigeon::netlink {
namespace {

// Each appends what it found, or nothing.
bool link_event(const Message& m, Event e, std::vector<Event>& to) {
  std::optional<Link> link;
  if (!read_link(m, link)) return false;
  if (!link) return true;
  e.kind = Event::Kind::link;
  e.link = link->index;
  e.name = std::move(link->name);
  e.up = link->up;
  to.push_back(std::move(e));
  return true;
}

bool address_event(const Message& m, Event e, std::vector<Event>& to) {
  ifaddrmsg h;
  if (!copy_front(m.payload, h)) return false;
  e.kind = Event::Kind::address;
  e.link = IfIndex{static_cast<int>(h.ifa_index)};
  to.push_back(std::move(e));
  return true;
}

bool route_event(const Message& m, Event e, std::vector<Event>& to) {
  std::vector<Route> routes;
  if (!read_routes(m, routes)) return false;
  if (routes.empty()) return true;
  e.kind = Event::Kind::route;
  e.table = routes.front().table;
  e.protocol = routes.front().protocol;
  if (routes.size() == 1) e.link = routes.front().device;
  to.push_back(std::move(e));
  return true;
}

bool rule_event(const Message& m, Event e, std::vector<Event>& to) {
  std::optional<Rule> rule;
  if (!read_rule(m, rule)) return false;
  if (!rule) return true;
  e.kind = Event::Kind::rule;
  e.name = std::move(rule->input);
  e.table = rule->table;
  e.priority = rule->priority;
  e.protocol = rule->protocol;
  to.push_back(std::move(e));
  return true;
}

bool settings_event(const Message& m, Event e, std::vector<Event>& to) {
  netconfmsg h;
  Bytes attrs;
  if (!m.split(h, attrs)) return false;
  if (h.ncm_family != AF_INET && h.ncm_family != AF_INET6) return true;
  std::optional<uint32_t> link;
  if (!for_each_attr(attrs, [&](const Attr& a) {
        return a.type != NETCONFA_IFINDEX || a.read(link.emplace());
      }))
    return false;
  if (!link) return false;
  e.kind = Event::Kind::settings;
  e.link = IfIndex{static_cast<int>(*link)};
  to.push_back(std::move(e));
  return true;
}

bool read_event(const Message& m, std::vector<Event>& to) {
  const Event made{.by = m.port}, gone{.removed = true, .by = m.port};
  switch (m.type) {
    case RTM_NEWLINK:
      return link_event(m, made, to);
    case RTM_DELLINK:
      return link_event(m, gone, to);
    case RTM_NEWADDR:
      return address_event(m, made, to);
    case RTM_DELADDR:
      return address_event(m, gone, to);
    case RTM_NEWROUTE:
      return route_event(m, made, to);
    case RTM_DELROUTE:
      return route_event(m, gone, to);
    case RTM_NEWRULE:
      return rule_event(m, made, to);
    case RTM_DELRULE:
      return rule_event(m, gone, to);
    case RTM_NEWNETCONF:
      return settings_event(m, made, to);
    case RTM_DELNETCONF:
      return settings_event(m, gone, to);
    default:
      return true;
  }
}

}  // namespace

bool read_events(Bytes datagram, std::vector<Event>& to) {
  return for_each_message(datagram, [&](const Message& m) { return read_event(m, to); });
}

}  // namespace wigeon::netlink
