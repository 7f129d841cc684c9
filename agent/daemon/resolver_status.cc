// SPDX-License-Identifier: GPL-2.0-or-later
// What `status` shows of the resolver: the wish, and what it counted. Pure.
#include <algorithm>
#include <map>

#include "agent/daemon/resolver_service.hh"
#include "dns/zone.hh"

namespace wigeon {
namespace {

// The whole octet, or nibble, that a reverse zone begins at.
Prefix reverse_prefix(const Address& a, const Prefix& overlay) {
  const int step = a.is_v4() ? 8 : 4;
  return *Prefix::make(a, (overlay.bits() + step - 1) / step * step);
}

// How many addresses of our names are in each reverse zone of the overlay.
std::map<Prefix, uint64_t> count_addresses(const std::vector<dns::ZoneView>& zones,
                                           const std::vector<Prefix>& overlay) {
  std::map<Prefix, uint64_t> counts;
  for (const auto& z : zones) {
    if (z.non_authoritative) continue;  // they make no PTR records
    for (const auto& r : z.records) {
      if (r.type != dns::type::kA && r.type != dns::type::kAaaa) continue;
      const auto address = Address::parse(r.rdata);
      if (!address) continue;
      for (const auto& p : overlay)
        if (p.contains(*address)) {
          ++counts[reverse_prefix(*address, p)];
          break;
        }
    }
  }
  return counts;
}

std::string_view text(dns::Health health) {
  switch (health) {
    case dns::Health::unknown:
      return "unknown";
    case dns::Health::healthy:
      return "healthy";
    case dns::Health::unhealthy:
      return "unhealthy";
  }
  return "";
}

WallTime ago(WallTime at, uint32_t seconds) {
  return seconds == UINT32_MAX ? kNever : at - std::chrono::seconds(seconds);
}

DnsServerStatus server_status(const dns::ServerStatistics& s, WallTime at) {
  return {.server = s.endpoint.text(),
          .sent = s.sent,
          .replies = s.replies,
          .failures = s.failures,
          .latency = std::chrono::microseconds(s.latency_us),
          .last_reply = ago(at, s.ok_ago),
          .last_failure = ago(at, s.failed_ago)};
}

DnsGroupStatus group_status(const dns::GroupConfig& config,
                            const dns::GroupStatistics* seen, WallTime at) {
  DnsGroupStatus g{.domains = config.domains,
                   .primary = config.primary,
                   .health = std::string(text(dns::Health::unknown))};
  if (seen) {
    g.health = text(seen->health);
    g.reason = seen->reason;
  }
  for (const auto& server : config.servers) {
    DnsServerStatus s{.server = server.text()};
    if (seen) {
      const auto is_it = [&](const auto& e) { return e.endpoint == server; };
      const auto found = std::ranges::find_if(seen->servers, is_it);
      if (found != seen->servers.end()) s = server_status(*found, at);
    }
    g.servers.push_back(std::move(s));
  }
  return g;
}

}  // namespace

bool is_probe_zone(std::string_view domain) {
  return domain.ends_with(".wigeon.invalid");
}

std::vector<DnsZoneStatus> zone_list(const std::vector<dns::ZoneView>& zones,
                                     const std::vector<Prefix>& overlay) {
  std::vector<DnsZoneStatus> list;
  for (const auto& z : zones) {
    if (list.size() == kMaxZonesListed) return list;
    if (!is_probe_zone(z.domain))
      list.push_back(
          {std::string(z.domain), z.records.size(), !z.non_authoritative, false});
  }
  std::map<std::string, uint64_t> counts;
  for (const auto& [prefix, n] : count_addresses(zones, overlay))
    for (const auto& zone : dns::reverse_zones(prefix)) counts[zone] += n;
  for (const auto& p : overlay) {
    for (const auto& zone : dns::reverse_zones(p)) {
      if (list.size() == kMaxZonesListed) return list;
      // One that is configured takes its place.
      if (std::ranges::find(list, zone, &DnsZoneStatus::domain) != list.end()) continue;
      list.push_back({.domain = zone, .records = counts[zone], .generated = true});
    }
  }
  return list;
}

std::vector<DnsGroupStatus> group_list(const dns::ResolverConfig& config,
                                       const dns::Statistics& statistics, WallTime at) {
  std::vector<DnsGroupStatus> list;
  // Counted of this configuration? The original servers are one group more.
  const auto& seen = statistics.groups;
  const bool known = seen.size() == config.groups.size() + 1;
  for (size_t i = 0; i < config.groups.size(); ++i)
    list.push_back(group_status(config.groups[i], known ? &seen[i] : nullptr, at));
  auto original =
      group_status({.servers = config.upstreams}, known ? &seen.back() : nullptr, at);
  original.original = true;
  list.push_back(std::move(original));
  return list;
}

void add_counters(const dns::Statistics& s, DnsStatus& status) {
  status.zones = s.zones;
  status.records = s.names;
  for (const auto& l : s.listeners)
    status.listeners.push_back({l.transport == dns::Transport::tcp ? "tcp" : "udp",
                                l.endpoint.text(), l.queries, l.replies, l.refused});
  status.cache = {s.cache.entries, s.cache.bytes,   s.cache.hits,
                  s.cache.misses,  s.cache.evicted, s.cache.stale};
  status.queries = {{"total", s.queries},
                    {"forwarded", s.forwarded},
                    {"shared", s.shared},
                    {"dropped", s.dropped},
                    {"unanswered", s.unanswered},
                    {"truncated", s.truncated},
                    {"withheld", s.withheld},
                    {"noData", s.no_data},
                    {"tcpAccepted", s.tcp_accepted},
                    {"tcpOpen", s.tcp_open},
                    {"tcpClosedForRoom", s.tcp_closed_for_room},
                    {"NOERROR", s.rcodes[0]},
                    {"FORMERR", s.rcodes[1]},
                    {"SERVFAIL", s.rcodes[2]},
                    {"NXDOMAIN", s.rcodes[3]},
                    {"NOTIMP", s.rcodes[4]},
                    {"REFUSED", s.rcodes[5]}};
  const auto& u = s.upstream;
  status.upstream = {{"total", u.queries},
                     {"replies", u.replies},
                     {"timeouts", u.timeouts},
                     {"unreachable", u.unreachable},
                     {"noRoom", u.full},
                     {"repeated", u.repeated},
                     {"forgedReplies", u.mismatches},
                     {"tcpForForgery", u.suspicions},
                     {"tcpForRoom", u.truncated},
                     {"withoutEdns", u.without_edns},
                     {"withoutMixedCase", u.without_case}};
}

}  // namespace wigeon
