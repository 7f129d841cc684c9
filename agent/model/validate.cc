// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/validate.hh"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "agent/model/coverage.hh"
#include "agent/model/judge.hh"
#include "agent/model/limits.hh"
#include "agent/model/prefix_cover.hh"

namespace wigeon {
namespace {

// Widest network an own address may be in; the kernel makes a route to all of it.
constexpr int kWidestOverlayV4 = 8;
constexpr int kWidestOverlayV6 = 16;

void check_serial(const NetworkMap& map, const MapContext& context, Judge& judge) {
  if (!context.applied_serial || context.force_serial) return;
  if (map.serial < *context.applied_serial)
    judge.refuse_map("/Serial", std::to_string(map.serial),
                     fmt::format("older than the map in force, whose serial is {}; it "
                                 "takes force to go back",
                                 *context.applied_serial));
}

void check_own_address(const NetworkMap& map, Judge& judge) {
  const auto check = [&](const std::optional<InterfaceAddress>& own, std::string_view at,
                         int widest) {
    if (!own) return;
    const auto& a = own->address;
    if (a.is_unspecified() || a.is_loopback() || a.is_link_local() || a.is_multicast())
      judge.refuse_map(at, shown(own->text()), "no address for a host in the overlay");
    if (own->bits < widest)
      judge.refuse_map(at, shown(own->text()),
                       fmt::format("the overlay must be /{} or smaller", widest));
  };
  check(map.peer_config.address, "/peerConfig/address", kWidestOverlayV4);
  check(map.peer_config.address_v6, "/peerConfig/address_v6", kWidestOverlayV6);
  if (!map.peer_config.address && !map.peer_config.address_v6)
    judge.refuse_map("/peerConfig/address", {}, "the map gives this host no address");
}

// SR-32: a key that is doubled, zero or our own would move or replace a peer.
void check_keys(const NetworkMap& map, const MapContext& context, Judge& judge) {
  std::vector<std::pair<Key, size_t>> keys;
  const auto at = [&](size_t i) { return fmt::format("/remotePeers/{}/wgPubKey", i); };
  for (size_t i = 0; i < map.remote_peers.size(); ++i) {
    const auto& key = map.remote_peers[i].key;
    if (key.is_zero())
      judge.refuse_map(at(i), {}, "the key is missing or all zero");
    else if (key == context.own_key)
      judge.refuse_map(at(i), shown(key.text()), "this host's own key");
    else
      keys.emplace_back(key, i);
  }
  std::ranges::sort(keys);
  for (size_t i = 1; i < keys.size(); ++i)
    if (keys[i].first == keys[i - 1].first)
      judge.refuse_map(at(keys[i].second), shown(keys[i].first.text()),
                       fmt::format("peer {} has the same key", keys[i - 1].second));
}

// SR-33: the kernel would silently move a prefix that two peers claim.
void check_prefixes(const NetworkMap& map, Judge& judge) {
  struct Claim {
    Prefix prefix{};
    uint32_t peer = 0, index = 0;
    auto operator<=>(const Claim&) const = default;
  };
  std::vector<Claim> claims;
  for (size_t p = 0; p < map.remote_peers.size(); ++p) {
    const auto& allowed = map.remote_peers[p].allowed_ips;
    for (size_t i = 0; i < allowed.size(); ++i)
      claims.push_back({allowed[i], static_cast<uint32_t>(p), static_cast<uint32_t>(i)});
  }
  std::ranges::sort(claims);
  const Claim* wide = nullptr;  // the last one that held another
  for (size_t i = 1; i < claims.size(); ++i) {
    const auto &a = claims[i - 1], &b = claims[i];
    if (wide && !wide->prefix.contains(b.prefix)) wide = nullptr;
    if (a.prefix == b.prefix) {
      if (a.peer != b.peer)
        judge.refuse_map(fmt::format("/remotePeers/{}/allowedIps/{}", b.peer, b.index),
                         shown(b.prefix.text()),
                         fmt::format("peer {} has the same network", a.peer));
      continue;
    }
    if (!wide && a.prefix.contains(b.prefix)) {
      wide = &a;
      judge.note(fmt::format("{} of {} holds networks of other entries, which win",
                             a.prefix.text(), judge.peer_pointer(a.peer)));
    }
  }
}

// What the decoder counts list by list only.
void check_totals(const NetworkMap& map, Judge& judge) {
  size_t prefixes = 0, records = 0;
  for (const auto& p : map.remote_peers) prefixes += p.allowed_ips.size();
  for (const auto& z : map.dns.zones) records += z.records.size();
  if (prefixes > kMaxPrefixes)
    judge.refuse_map("/remotePeers", {},
                     fmt::format("more than {} allowed IPs", kMaxPrefixes));
  if (records > kMaxRecords)
    judge.refuse_map("/DNSConfig/CustomZones", {},
                     fmt::format("more than {} records", kMaxRecords));
}

void check_route_peers(const NetworkMap& map, const MapContext& context, Judge& judge) {
  std::vector<Key> known;
  for (const auto* list : {&map.remote_peers, &map.offline_peers})
    for (const auto& p : *list) known.push_back(p.key);
  if (context.own_key) known.push_back(*context.own_key);
  std::ranges::sort(known);
  for (size_t r = 0; r < map.routes.size(); ++r) {
    const auto& peer = map.routes[r].peer;
    // Without our own key we cannot tell a route of ours from one of a stranger.
    if (peer.is_zero() || (context.own_key && !std::ranges::binary_search(known, peer)))
      judge.refuse_route(r, "its routing peer is not in the map");
  }
}

// SR-35, the part that is so on every host; and the administrator's own exclusions.
void check_special_networks(const Config& config, const NetworkMap& map, Judge& judge) {
  struct Special {
    std::string_view prefix{}, what{};
  };
  static constexpr Special specials[] = {
      {"127.0.0.0/8", "loopback"},      {"::1/128", "loopback"},
      {"169.254.0.0/16", "link-local"}, {"fe80::/10", "link-local"},
      {"224.0.0.0/4", "multicast"},     {"ff00::/8", "multicast"},
      {"0.0.0.0/32", "unspecified"},    {"::/128", "unspecified"},
  };
  std::vector<PrefixCover::Entry> entries, excluded;
  for (size_t i = 0; i < std::size(specials); ++i)
    entries.push_back({*Prefix::parse(specials[i].prefix), i});
  for (const auto& p : config.routing.exclude) excluded.push_back({p, 0});
  const PrefixCover special(std::move(entries)), exclude(std::move(excluded));
  const auto& own = map.peer_config;
  judge.each_network([&](const Prefix& p, auto refuse) {
    if (const auto* e = exclude.containing(p))
      return refuse(fmt::format("in {}, which routing.exclude names", e->prefix.text()));
    if (p.is_host() && ((own.address && own.address->address == p.address()) ||
                        (own.address_v6 && own.address_v6->address == p.address())))
      return refuse("this host's own address");
    // With the opt-in given, the host's more specific routes win over a default route.
    if (is_default_like(p) && config.routing.allow_default_route) return;
    if (const auto* e = special.overlapping(p))
      refuse(fmt::format("overlaps {} ({})", e->prefix.text(), specials[e->tag].what));
  });
}

// SR-34: longest first, so that it is the widest networks that are left out.
void check_default_routes(const Config& config, const NetworkMap& map,
                          const MapContext& context, Judge& judge) {
  if (config.routing.allow_default_route) return;
  struct Claim {
    Prefix prefix{};
    bool is_route = false;
    size_t index = 0;
  };
  std::vector<Claim> claims;
  for (size_t p = 0; p < map.remote_peers.size(); ++p)
    for (const auto& a : map.remote_peers[p].allowed_ips) claims.push_back({a, false, p});
  for (size_t r = 0; r < map.routes.size(); ++r)
    if (map.routes[r].network && map.routes[r].peer != context.own_key)
      claims.push_back({*map.routes[r].network, true, r});
  std::ranges::sort(claims, {}, [](const Claim& c) {
    return std::tuple(-c.prefix.bits(), c.prefix, c.is_route, c.index);
  });
  Coverage v4(Family::v4), v6(Family::v6);
  bool fits = true;
  for (size_t i = 0; i < claims.size(); ++i) {
    const auto& c = claims[i];
    if (i == 0 || c.prefix != claims[i - 1].prefix)
      fits = (c.prefix.family() == Family::v4 ? v4 : v6).add_within_half(c.prefix);
    if (fits) continue;
    const auto reason = fmt::format(
        "with {} the map would take more than half of {}; routing.allowDefaultRoute "
        "would "
        "permit that",
        c.prefix.text(), c.prefix.family() == Family::v4 ? "IPv4" : "IPv6");
    if (c.is_route)
      judge.refuse_route(c.index, reason);
    else
      judge.refuse_peer(c.index, reason);
  }
}

// SR-36: WireGuard's own packets to an endpoint inside the tunnel would go round in it.
// In full-tunnel mode our routes are in a table that its mark keeps out of, but the
// overlay's own route is in the main table always.
void check_endpoints(const Config& config, const NetworkMap& map,
                     const MapContext& context, Judge& judge) {
  std::vector<PrefixCover::Entry> inside;
  for (const auto& p : map.peer_config.networks()) inside.push_back({p, 0});
  if (!config.routing.allow_default_route)
    judge.each_network([&](const Prefix& p, auto) { inside.push_back({p, 0}); });
  const PrefixCover tunnel(std::move(inside));
  for (size_t i = 0; i < map.remote_peers.size(); ++i) {
    const auto& endpoint = map.remote_peers[i].endpoint;
    if (!endpoint || !judge.has_peer(i)) continue;
    auto address = Address::parse(endpoint->host);
    if (!address) {
      const auto known = context.resolved.find(*endpoint);
      if (known == context.resolved.end()) continue;
      address = known->second.address;
    }
    if (address->is_unspecified() || address->is_multicast())
      judge.refuse_peer(i, fmt::format("its endpoint {} is no host", address->text()));
    else if (const auto* e = tunnel.containing(*address))
      judge.refuse_peer(i, fmt::format("its endpoint {} is inside the tunnel ({})",
                                       address->text(), e->prefix.text()));
  }
}

}  // namespace

Verdict validate(const Config& config, const NetworkMap& map, const MapContext& context) {
  Verdict verdict;
  verdict.accepted.peers.resize(map.remote_peers.size());
  verdict.accepted.routes.resize(map.routes.size(), true);
  Judge judge(map, context, verdict);
  check_totals(map, judge);
  if (!verdict.ok()) return verdict;
  check_serial(map, context, judge);
  check_own_address(map, judge);
  check_keys(map, context, judge);
  check_prefixes(map, judge);
  check_route_peers(map, context, judge);
  check_default_routes(config, map, context, judge);
  check_special_networks(config, map, judge);
  check_endpoints(config, map, context, judge);
  return verdict;
}

}  // namespace wigeon
