// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/full_tunnel.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "agent/model/coverage.hh"

namespace wigeon {
namespace {

constexpr uint32_t kBelow = 3;  // priorities needed below routing.rulePriority

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

// Who goes round the tunnel, the administrator's own wishes first.
std::vector<Rule> exceptions(const Config& config, const NetworkMap& map,
                             const HostView& host, uint32_t base) {
  std::vector<Rule> all;
  const auto destination = [&](const Prefix& p) {
    all.push_back(lookup(p.family(), base - 2, RT_TABLE_MAIN));
    all.back().to = p;
  };
  for (const auto& p : config.routing.exclude) destination(p);
  for (const auto& s : distant_dns_servers(map, host)) destination(Prefix::host(s));
  for (const auto& own : underlay_addresses(host)) {
    auto r = lookup(own.family(), base - 1, RT_TABLE_MAIN);
    r.from = Prefix::host(own);
    if (!own.is_v4()) {
      r.ip_protocol = IPPROTO_TCP;
      r.source_ports = {.first = 1, .last = 1023};
      r.destination_ports = {.first = 10000, .last = 65534};
    }
    all.push_back(std::move(r));
  }
  return all;
}

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
  auto all = lookup(family, base + 5, c.table);
  all.mark = c.mark;
  all.mark_mask = c.mark_mask;
  all.invert = true;
  rules.insert(rules.end(), {main, all});
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
  for (auto& r : d.routes)
    if (into_link(r)) r.table = config.routing.table;
  const uint32_t base = std::max(config.routing.rule_priority, kBelow + 1);
  const bool vrf = std::ranges::count(host.links, "vrf", &Link::kind) > 0;
  for (const Family family : {Family::v4, Family::v6}) {
    if (family == Family::v6 && !host.ipv6_stack) continue;
    d.routes.push_back(last_resort(everything(family), config.routing.table));
    add_family(config, family, base, vrf, d.rules);
  }
  add_exceptions(exceptions(config, map, host, base), host.ipv6_stack, d);
}

}  // namespace wigeon
