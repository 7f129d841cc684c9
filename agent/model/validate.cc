// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/validate.hh"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "agent/base/sort_unique.hh"
#include "agent/model/coverage.hh"
#include "agent/model/judge.hh"
#include "agent/model/limits.hh"
#include "agent/model/prefix_cover.hh"

namespace wigeon {
namespace {

// Widest network an own address may be in; the kernel makes a route to all of it.
constexpr int kWidestOverlayV4 = 8;
constexpr int kWidestOverlayV6 = 16;
// Of a family; sums of shares are not exact.
constexpr double kSurelyLess = 0.49;

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
  const auto at = [&](size_t i) { return fmt::format("/remotePeers/{}/wgPubKey", i); };
  const auto& peers = map.remote_peers;
  const auto own_or_zero = [&](const Key& k) {
    return k.is_zero() || k == context.own_key;
  };
  for (size_t i = 0; i < peers.size(); ++i) {
    const auto& key = peers.key(i);
    if (key.is_zero())
      judge.refuse_map(at(i), {}, "the key is missing or all zero");
    else if (key == context.own_key)
      judge.refuse_map(at(i), shown(key.text()), "this host's own key");
  }
  const auto order = peers.by_key();
  for (size_t i = 1; i < order.size(); ++i)
    if (const auto& key = peers.key(order[i]);
        key == peers.key(order[i - 1]) && !own_or_zero(key))
      judge.refuse_map(at(order[i]), shown(key.text()),
                       fmt::format("peer {} has the same key", order[i - 1]));
}

// SR-33: the kernel would silently move a prefix that two peers claim.
void check_prefixes(const NetworkMap& map, Judge& judge) {
  struct Claim {
    Prefix prefix{};
    uint32_t peer = 0, index = 0;
    auto operator<=>(const Claim&) const = default;
  };
  std::vector<Claim> claims;
  claims.reserve(map.remote_peers.size() * 2);
  for (size_t p = 0; p < map.remote_peers.size(); ++p) {
    const auto allowed = map.remote_peers[p].allowed_ips;
    for (size_t i = 0; i < allowed.size(); ++i)
      claims.push_back({allowed[i], static_cast<uint32_t>(p), static_cast<uint32_t>(i)});
  }
  if (!std::ranges::is_sorted(claims)) std::ranges::sort(claims);
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

// Together less than half of each family, even were none inside another: as nearly every
// map is.
bool surely_less_than_half(const NetworkMap& map, const std::optional<Key>& own) {
  double v4 = 0, v6 = 0;
  const auto add = [&](const Prefix& p) {
    (p.family() == Family::v4 ? v4 : v6) += Coverage::share(p);
  };
  for (const auto& p : map.remote_peers) std::ranges::for_each(p.allowed_ips, add);
  for (const auto& r : map.routes)
    if (r.network && r.peer != own) add(*r.network);
  return std::max(v4, v6) < kSurelyLess;
}

// SR-34: longest first, so that it is the widest networks that are left out.
void check_default_routes(const Config& config, const NetworkMap& map,
                          const MapContext& context, Judge& judge) {
  if (config.routing.allow_default_route) return;
  if (surely_less_than_half(map, context.own_key)) return;
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
  Coverage v4, v6;
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
// overlay's own route is in the main table always. Of a route that would take an endpoint
// in, the route is refused: validate_routes.cc.
class EndpointJudge {
 public:
  EndpointJudge(const Config& config, const NetworkMap& map, const MapContext& context,
                Judge& judge)
      : map_(map), context_(context), judge_(judge) {
    std::vector<PrefixCover::Entry> inside;
    inside.reserve(map.remote_peers.size() * 2);
    for (const auto& p : map.peer_config.networks()) inside.push_back({p, 0});
    if (!may_be_full_tunnel(config, map, context))
      judge.each_allowed_ip([&](const Prefix& p, auto) { inside.push_back({p, 0}); });
    tunnel_ = PrefixCover(std::move(inside));
  }

  // A peer is refused when it has endpoints, all are known and none can be used.
  void check(size_t peer) {
    const auto entry = map_.remote_peers[peer];
    if (const auto only = entry.only_endpoint(); only && fits(only->address)) return;
    const auto places = entry.endpoints();
    std::vector<Address> seen;
    std::vector<std::string> bad;
    bool usable = places.empty();
    for (const auto& place : places) {
      const auto addresses = addresses_of(place);
      if (addresses.empty()) usable = true;  // perhaps, once it is resolved
      for (const auto& a : addresses) {
        if (std::ranges::find(seen, a) != seen.end()) continue;
        seen.push_back(a);
        const auto why = against(a);
        usable |= why.empty();
        if (why.empty()) continue;
        unusable_.push_back(a);
        bad.push_back(fmt::format("endpoint {} {}", a.text(), why));
      }
    }
    if (!usable && bad.size() == 1) return judge_.refuse_peer(peer, "its " + bad[0]);
    for (auto& reason : bad) judge_.refuse_endpoint(peer, std::move(reason));
    if (!usable) judge_.refuse_peer(peer, "none of its endpoints can be used");
  }

  std::vector<Address> unusable() && {
    sort_unique(unusable_);
    return std::move(unusable_);
  }

 private:
  [[nodiscard]] std::vector<Address> addresses_of(const Place& place) const {
    if (const auto* literal = std::get_if<Endpoint>(&place)) return {literal->address};
    std::vector<Address> all;
    const auto known = context_.resolved.find(std::get<HostPort>(place));
    if (known != context_.resolved.end())
      for (const auto& e : known->second) all.push_back(e.address);
    return all;
  }

  [[nodiscard]] bool fits(const Address& a) const {
    return !a.is_unspecified() && !a.is_multicast() && !tunnel_.containing(a);
  }

  // "is no host"; empty: nothing.
  [[nodiscard]] std::string against(const Address& a) const {
    if (a.is_unspecified() || a.is_multicast()) return "is no host";
    const auto* e = tunnel_.containing(a);
    return e ? fmt::format("is inside the tunnel ({})", e->prefix.text()) : "";
  }

  const NetworkMap& map_;
  const MapContext& context_;
  Judge& judge_;
  PrefixCover tunnel_{};
  std::vector<Address> unusable_{};
};

std::vector<Address> check_endpoints(const Config& config, const NetworkMap& map,
                                     const MapContext& context, Judge& judge) {
  EndpointJudge endpoints(config, map, context, judge);
  for (size_t i = 0; i < map.remote_peers.size(); ++i)
    if (judge.has_peer(i)) endpoints.check(i);
  return std::move(endpoints).unusable();
}

}  // namespace

bool may_be_full_tunnel(const Config& config, const NetworkMap& map,
                        const MapContext& context) {
  return config.routing.allow_default_route &&
         !surely_less_than_half(map, context.own_key);
}

Verdict validate(const Config& config, const NetworkMap& map, const MapContext& context) {
  Verdict verdict;
  verdict.accepted.peers.resize(map.remote_peers.size(), true);
  verdict.accepted.routes.resize(map.routes.size(), true);
  Judge judge(map, context, verdict);
  check_totals(map, judge);
  if (!verdict.ok()) return verdict;
  check_serial(map, context, judge);
  check_own_address(map, judge);
  check_keys(map, context, judge);
  check_prefixes(map, judge);
  check_routes(map, context, judge);
  check_default_routes(config, map, context, judge);
  check_special_networks(config, map, judge);
  verdict.accepted.unusable_endpoints = check_endpoints(config, map, context, judge);
  check_routes_against_peers(config, map, context, judge);
  return verdict;
}

}  // namespace wigeon
