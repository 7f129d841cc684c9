// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/control_parts.hh"

namespace wigeon::dns::control_parts {
namespace {

// Plain counters, in the order of the wire.
constexpr uint64_t Statistics::*kCounters[] = {&Statistics::queries,
                                               &Statistics::dropped,
                                               &Statistics::no_data,
                                               &Statistics::truncated,
                                               &Statistics::forwarded,
                                               &Statistics::shared,
                                               &Statistics::unanswered,
                                               &Statistics::withheld,
                                               &Statistics::tcp_accepted,
                                               &Statistics::tcp_open,
                                               &Statistics::tcp_closed_for_room,
                                               &Statistics::zones,
                                               &Statistics::names,
                                               &Statistics::zone_bytes};
constexpr uint64_t CacheStatistics::*kCacheCounters[] = {
    &CacheStatistics::entries, &CacheStatistics::bytes,   &CacheStatistics::hits,
    &CacheStatistics::misses,  &CacheStatistics::evicted, &CacheStatistics::stale};
constexpr uint64_t UpstreamStatistics::*kUpstreamCounters[] = {
    &UpstreamStatistics::queries,     &UpstreamStatistics::replies,
    &UpstreamStatistics::timeouts,    &UpstreamStatistics::unreachable,
    &UpstreamStatistics::full,        &UpstreamStatistics::repeated,
    &UpstreamStatistics::mismatches,  &UpstreamStatistics::suspicions,
    &UpstreamStatistics::truncated,   &UpstreamStatistics::without_edns,
    &UpstreamStatistics::without_case};
constexpr uint64_t ServerStatistics::*kServerCounters[] = {
    &ServerStatistics::sent, &ServerStatistics::replies, &ServerStatistics::failures};
constexpr uint32_t ServerStatistics::*kServerTimes[] = {&ServerStatistics::latency_us,
                                                        &ServerStatistics::ok_ago,
                                                        &ServerStatistics::failed_ago};
constexpr uint64_t ListenerStatistics::*kListenerCounters[] = {
    &ListenerStatistics::queries, &ListenerStatistics::replies,
    &ListenerStatistics::refused};

// The groups, and one more for the original servers.
constexpr size_t kMaxStatisticsGroups = kMaxGroups + 1;
constexpr size_t kMaxStatisticsServers = std::max(kMaxGroupServers, kMaxUpstreams);

void put_group(ByteWriter& out, const GroupStatistics& g) {
  const auto domains = first(g.domains, kMaxStatisticsDomains);
  out.put(static_cast<uint32_t>(domains.size()));
  for (const auto& d : domains) out.text(cut(d, kMaxNameText));
  out.flag(g.primary);
  out.flag(g.original);
  out.put(static_cast<uint8_t>(g.health));
  out.text(reason(g.reason));
  const auto servers = first(g.servers, kMaxStatisticsServers);
  out.put(static_cast<uint32_t>(servers.size()));
  for (const auto& s : servers) {
    out.endpoint(s.endpoint);
    for (const auto counter : kServerCounters) out.put(s.*counter);
    for (const auto time : kServerTimes) out.put(s.*time);
  }
}

Result<GroupStatistics> get_group(ByteReader& in) {
  GroupStatistics g;
  const size_t domains = TRY(in.count(kMaxStatisticsDomains, "domains"));
  for (size_t i = 0; i < domains; ++i) g.domains.push_back(TRY(in.text(kMaxNameText)));
  g.primary = TRY(in.flag());
  g.original = TRY(in.flag());
  g.health = TRY(get_enum(in, Health::unhealthy));
  g.reason = TRY(in.text(kMaxReason));
  const size_t servers = TRY(in.count(kMaxStatisticsServers, "servers"));
  for (size_t i = 0; i < servers; ++i) {
    auto& s = g.servers.emplace_back();
    s.endpoint = TRY(in.endpoint());
    for (const auto counter : kServerCounters) s.*counter = TRY(in.get<uint64_t>());
    for (const auto time : kServerTimes) s.*time = TRY(in.get<uint32_t>());
  }
  return g;
}

}  // namespace

void put(ByteWriter& out, const Statistics& s) {
  for (const auto counter : kCounters) out.put(s.*counter);
  for (const uint64_t n : s.rcodes) out.put(n);
  const auto listeners = first(s.listeners, kMaxListeners);
  out.put(static_cast<uint32_t>(listeners.size()));
  for (const auto& l : listeners) {
    put_listener(out, l.transport, l.endpoint);
    for (const auto counter : kListenerCounters) out.put(l.*counter);
  }
  const auto groups = first(s.groups, kMaxStatisticsGroups);
  out.put(static_cast<uint32_t>(groups.size()));
  for (const auto& g : groups) put_group(out, g);
  for (const auto counter : kCacheCounters) out.put(s.cache.*counter);
  for (const auto counter : kUpstreamCounters) out.put(s.upstream.*counter);
}

Result<Statistics> get_statistics(ByteReader& in) {
  Statistics s;
  for (const auto counter : kCounters) s.*counter = TRY(in.get<uint64_t>());
  for (uint64_t& n : s.rcodes) n = TRY(in.get<uint64_t>());
  const size_t listeners = TRY(in.count(kMaxListeners, "listeners"));
  for (size_t i = 0; i < listeners; ++i) {
    const auto info = TRY(get_listener(in));
    auto& l = s.listeners.emplace_back();
    l.transport = info.transport;
    l.endpoint = info.endpoint;
    for (const auto counter : kListenerCounters) l.*counter = TRY(in.get<uint64_t>());
  }
  const size_t groups = TRY(in.count(kMaxStatisticsGroups, "groups"));
  for (size_t i = 0; i < groups; ++i) s.groups.push_back(TRY(get_group(in)));
  for (const auto counter : kCacheCounters) s.cache.*counter = TRY(in.get<uint64_t>());
  for (const auto counter : kUpstreamCounters)
    s.upstream.*counter = TRY(in.get<uint64_t>());
  return s;
}

}  // namespace wigeon::dns::control_parts
