// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/full_tunnel.hh"

#include <fmt/format.h>
#include <linux/fib_rules.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "agent/model/coverage.hh"
#include "agent/model/other_tunnels.hh"

namespace wigeon {
namespace {

// Priorities needed below routing.rulePriority, and above.
constexpr uint32_t kBelow = 3;
constexpr uint32_t kAbove = 5;

bool into_link(const Route& r) {
  return r.type == Route::Type::unicast && r.device == IfIndex::none;
}

Route last_resort(const Prefix& p, uint32_t table) {
  return {.destination = p,
          .table = table,
          .metric = kLastResortMetric,
          .type = Route::Type::unreachable,
          .protocol = kRouteProtocol};
}

Rule lookup(Family family, uint32_t priority, uint32_t table) {
  return {
      .family = family, .priority = priority, .table = table, .protocol = kRouteProtocol};
}

// The host's own addresses of which packets may be answered, those of links with a
// default route first.
std::vector<Address> underlay_addresses(const HostView& host) {
  std::set<std::pair<IfIndex, Family>> uplinks;
  for (const auto& r : host.routes)
    if (r.destination.bits() == 0) uplinks.emplace(r.device, r.destination.family());
  std::vector<Address> first, rest;
  for (const auto& a : host.addresses) {
    const auto& own = a.address.address;
    if (own.is_loopback() || own.is_link_local() || own.is_multicast()) continue;
    const bool uplink = uplinks.contains({a.link, own.family()});
    (uplink ? first : rest).push_back(own);
  }
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

// Servers that are reached by the default route, so that it must not be ours.
std::vector<Address> distant_dns_servers(const NetworkMap& map, const HostView& host) {
  const auto near = [&](const Address& s) {
    for (const auto& p : map.peer_config.networks())
      if (p.contains(s)) return true;
    return std::ranges::any_of(host.addresses, [&](const LinkAddress& a) {
      return a.address.network().contains(s);
    });
  };
  std::vector<Address> distant;
  for (const auto& s : host.dns_servers)
    if (!s.is_loopback() && !s.is_link_local() && !s.is_multicast() &&
        !s.is_unspecified() && !near(s))
      distant.push_back(s);
  return distant;
}

class Exceptions {
 public:
  Exceptions(const Config& config, const HostView& host, uint32_t base, bool answers_v6)
      : config_(config),
        host_(host),
        tunnels_(other_tunnels(host.rules)),
        base_(base),
        answers_v6_(answers_v6) {}

  // Who goes round the tunnel, the administrator's own wishes first.
  std::vector<Rule> all(const NetworkMap& map) && {
    for (const auto& p : config_.routing.exclude) destination(p);
    for (const auto& t : tunnels_) carrier(t);
    for (const auto& s : distant_dns_servers(map, host_)) destination(Prefix::host(s));
    for (const auto& own : underlay_addresses(host_)) source(own);
    return std::move(rules_);
  }

 private:
  void destination(const Prefix& p) {
    rules_.push_back(lookup(p.family(), base_ - 2, RT_TABLE_MAIN));
    rules_.back().to = p;
  }

  // Ours is carried by another tunnel then, and that one by the uplink; not by ours.
  void carrier(const OtherTunnel& t) {
    rules_.push_back(lookup(t.family, base_ - 2, RT_TABLE_MAIN));
    rules_.back().mark = t.mark;
    rules_.back().mark_mask = t.mark_mask;
  }

  Rule& from(const Address& own, uint32_t priority, uint32_t table) {
    rules_.push_back(lookup(own.family(), priority, table));
    rules_.back().from = Prefix::host(own);
    return rules_.back();
  }

  // Where a packet from this address goes when it is not for us.
  [[nodiscard]] uint32_t table_of(const Address& own) const {
    const auto on = std::ranges::find(host_.addresses, own,
                                      [](const auto& a) { return a.address.address; });
    for (const auto& t : tunnels_)
      for (const auto& r : host_.other_tunnels)
        if (r.table == t.table && r.destination.family() == own.family() &&
            r.device == on->link)
          return t.table;
    return RT_TABLE_MAIN;
  }

  void source(const Address& own) {
    const uint32_t table = table_of(own);
    if (own.is_v4()) {
      from(own, base_ - 1, table);
      return;
    }
    auto& privileged = from(own, base_ - 1, table);
    privileged.ip_protocol = IPPROTO_TCP;
    privileged.source_ports = {.first = 1, .last = 1023};
    privileged.destination_ports = {.first = 10000, .last = 65534};
    // Marked answers pass our table, but another tunnel would take them.
    if (std::ranges::count(tunnels_, Family::v6, &OtherTunnel::family) > 0) {
      auto& marked = from(own, base_ - 1, table);
      marked.mark = config_.routing.mark;
      marked.mark_mask = config_.routing.mark_mask;
    }
    if (!answers_v6_) return;
    auto& answer = from(own, base_ + 1, config_.routing.table);
    answer.mark = 0;
    answer.mark_mask = config_.routing.mark_mask;
    answer.ip_protocol = IPPROTO_TCP;
    answer.source_ports = {.first = 1, .last = 65534};  // the kernel takes no 65535
  }

  const Config& config_;
  const HostView& host_;
  std::vector<OtherTunnel> tunnels_;
  uint32_t base_;
  bool answers_v6_;
  std::vector<Rule> rules_{};
};

void add_exceptions(std::vector<Rule> all, bool ipv6, Desired& d) {
  if (!ipv6) std::erase_if(all, [](const Rule& r) { return r.family == Family::v6; });
  // Once each, in the order of their importance.
  std::set<Rule> seen;
  std::erase_if(all, [&](const Rule& r) { return !seen.insert(r).second; });
  if (all.size() > kMaxTunnelExceptions) {
    d.notes.push_back(fmt::format(
        "full tunnel: {} exceptions are wanted (routing.exclude, DNS servers, "
        "own addresses), {} is the limit; the rest goes through "
        "the tunnel",
        all.size(), kMaxTunnelExceptions));
    all.resize(kMaxTunnelExceptions);
  }
  std::ranges::move(all, std::back_inserter(d.rules));
}

void add_family(const Config& config, Family family, uint32_t base, bool vrf,
                std::vector<Rule>& rules) {
  const auto& c = config.routing;
  if (vrf) {
    auto r = lookup(family, base - kBelow, 0);
    r.l3mdev = true;
    rules.push_back(r);
  }
  auto main = lookup(family, base, RT_TABLE_MAIN);
  main.suppress_prefix_length = 0;
  auto all = lookup(family, base + kAbove, c.table);
  all.mark = c.mark;
  all.mark_mask = c.mark_mask;
  all.invert = true;
  rules.insert(rules.end(), {main, all});
}

// IPv6 that does not go into the tunnel: closed by rule, so that our link may carry what
// the nftables table then turns round.
void add_answers(const Config& config, uint32_t base, std::vector<Rule>& rules) {
  auto narrow = lookup(Family::v6, base + 2, config.routing.table);
  narrow.mark = config.routing.mark;
  narrow.mark_mask = config.routing.mark_mask;
  narrow.invert = true;
  auto closed = narrow;
  narrow.suppress_prefix_length = 0;
  closed.priority = base + 3;
  closed.table = 0;
  closed.action = FR_ACT_UNREACHABLE;
  rules.insert(rules.end(), {narrow, closed});
}

// A full tunnel whose rule comes before ours would be carried by ours, and carry it. The
// kernel puts rules without a priority, as wg-quick's are, before all that are there.
uint32_t before_others(uint32_t base, const std::vector<OtherTunnel>& others) {
  for (const auto& t : others)
    if (t.inverted && t.priority <= base + kAbove)
      base = t.priority > kAbove ? t.priority - kAbove - 1 : 0;
  return base;
}

// The widest routes to our link go until the rest is no default route.
void leave_default(std::vector<Route>& routes) {
  while (takes_default(routes)) {
    const auto bits = [](const Route& r) {
      return std::tuple(!into_link(r), r.destination.bits());
    };
    routes.erase(std::ranges::min_element(routes, {}, bits));
  }
}

std::string name_of(const HostView& host, const Config& config, IfIndex link) {
  const auto at = std::ranges::find(host.links, link, &Link::index);
  return at == host.links.end() ? config.interface_name : at->name;
}

// What others have in our table, or lead there.
void note_strangers(const Config& config, const HostView& host, Desired& d) {
  const auto table = config.routing.table;
  if (host.table_foreign) {
    const auto& r = *host.table_foreign;
    const auto more = host.table_foreign_more;
    d.notes.push_back(fmt::format(
        "full tunnel: others have {}{}{} in routing table {}, and its packets do not go "
        "as ours; it stays, routing.table names another table for us",
        r.destination.text(),
        r.device == IfIndex::none ? "" : " dev " + name_of(host, config, r.device),
        more == 0 ? "" : fmt::format(" and {} more", more), table));
  }
  if (const auto r = std::ranges::find(host.rules, table, &Rule::table);
      r != host.rules.end())
    d.notes.push_back(
        fmt::format("full tunnel: others' rule {} leads into routing table {} as well; "
                    "it stays, routing.table names another table for us",
                    r->priority, table));
}

const Prefix& everything(Family family) {
  static const Prefix v4 = *Prefix::parse("0.0.0.0/0"), v6 = *Prefix::parse("::/0");
  return family == Family::v4 ? v4 : v6;
}

}  // namespace

void close_overlay(const Config& config, const NetworkMap& map, const HostView& host,
                   Desired& d) {
  for (const auto& p : map.peer_config.networks())
    if (p.family() == Family::v4 || (host.ipv6_stack && !config.disable_ipv6))
      d.routes.push_back(last_resort(p, RT_TABLE_MAIN));
}

bool takes_default(const std::vector<Route>& routes) {
  std::vector<Prefix> networks;
  for (const auto& r : routes)
    if (into_link(r)) networks.push_back(r.destination);
  std::ranges::sort(networks, [](const Prefix& a, const Prefix& b) {
    return std::pair(-a.bits(), a) < std::pair(-b.bits(), b);
  });
  Coverage v4, v6;
  return !std::ranges::all_of(networks, [&](const Prefix& p) {
    return (p.family() == Family::v4 ? v4 : v6).add_within_half(p);
  });
}

void add_full_tunnel(const Config& config, const NetworkMap& map, const HostView& host,
                     Desired& d) {
  if (!config.routing.allow_default_route || !takes_default(d.routes)) return;
  const uint32_t base = before_others(std::max(config.routing.rule_priority, kBelow + 1),
                                      other_tunnels(host.rules));
  if (base <= kBelow) {
    d.notes.push_back(
        "no full tunnel: another one has it, and its rule has too low a priority for "
        "ours to come before");
    leave_default(d.routes);
    return;
  }
  const auto by_family = [&](Family f) {
    std::vector<Route> some;
    std::ranges::copy_if(d.routes, std::back_inserter(some),
                         [&](const Route& r) { return r.destination.family() == f; });
    return some;
  };
  // Without an address of the family on our link, and without a default route for it.
  const bool answers_v6 =
      host.ipv6_stack && host.ipv6 && !takes_default(by_family(Family::v6));
  for (auto& r : d.routes)
    if (into_link(r)) r.table = config.routing.table;
  const bool vrf = std::ranges::count(host.links, "vrf", &Link::kind) > 0;
  for (const Family family : {Family::v4, Family::v6}) {
    if (family == Family::v6 && !host.ipv6_stack) continue;
    d.routes.push_back(last_resort(everything(family), config.routing.table));
    add_family(config, family, base, vrf, d.rules);
  }
  if (answers_v6) {
    d.routes.push_back({.destination = everything(Family::v6),
                        .table = config.routing.table,
                        .protocol = kRouteProtocol});
    add_answers(config, base, d.rules);
  }
  add_exceptions(Exceptions(config, host, base, answers_v6).all(map), host.ipv6_stack, d);
  note_strangers(config, host, d);
}

}  // namespace wigeon
