// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "agent/model/endpoints.hh"
#include "agent/model/judge.hh"
#include "agent/model/prefix_cover.hh"

namespace wigeon {
namespace {

void check_kinds(const NetworkMap& map, Judge& judge) {
  for (size_t r = 0; r < map.routes.size(); ++r)
    // NetBird gives them a placeholder for a network.
    if (!map.routes[r].network || !map.routes[r].domains.empty())
      judge.refuse_route(r, "domain routes are not built yet");
}

void check_known_peers(const NetworkMap& map, const MapContext& context, Judge& judge) {
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

// What lies in the overlay would divert packets for hosts that are peers, or will be.
void check_overlay(const NetworkMap& map, Judge& judge) {
  std::vector<PrefixCover::Entry> networks;
  for (const auto& p : map.peer_config.networks()) networks.push_back({p, 0});
  const PrefixCover overlay(std::move(networks));
  judge.each_client_network([&](const Prefix& p, auto refuse) {
    if (const auto* e = overlay.containing(p))
      refuse(fmt::format("in {}, the overlay itself", e->prefix.text()));
  });
}

// A prefix among a peer's allowed IPs is that peer's.
void check_owners(const NetworkMap& map, Judge& judge) {
  struct Owned {
    Prefix prefix{};
    size_t peer = 0;
    auto operator<=>(const Owned&) const = default;
  };
  std::vector<Owned> owned;
  for (size_t p = 0; p < map.remote_peers.size(); ++p)
    for (size_t i = 0; i < map.remote_peers[p].allowed_ips.size(); ++i)
      if (judge.has_peer(p) && judge.has_allowed_ip(p, i))
        owned.push_back({map.remote_peers[p].allowed_ips[i], p});
  std::ranges::sort(owned);
  for (size_t r = 0; r < map.routes.size(); ++r) {
    const auto& route = map.routes[r];
    if (!route.network || !judge.is_client_route(r)) continue;
    const auto at = std::ranges::lower_bound(owned, *route.network, {}, &Owned::prefix);
    if (at == owned.end() || at->prefix != *route.network) continue;
    if (const auto& key = map.remote_peers[at->peer].key; key != route.peer)
      judge.refuse_route(r, fmt::format("{} is an allowed IP of another peer, {}",
                                        route.network->text(), key.text()));
  }
}

// SR-36, for routes.
void check_endpoints(const Config& config, const NetworkMap& map,
                     const MapContext& context, Judge& judge) {
  // The mark goes around our table.
  if (may_be_full_tunnel(config, map, context)) return;
  std::vector<PrefixCover::Entry> endpoints;
  for (size_t i = 0; i < map.remote_peers.size(); ++i) {
    if (!judge.has_peer(i)) continue;
    const auto places = map.remote_peers[i].endpoints();
    for (const auto& e : candidates(places, context.resolved, {}).list)
      endpoints.push_back({Prefix::host(e.address), i});
  }
  const PrefixCover outside(std::move(endpoints));
  judge.each_client_network([&](const Prefix& p, auto refuse) {
    if (const auto* e = outside.overlapping(p))
      refuse(fmt::format("holds {}, the endpoint of peer {}", e->prefix.address().text(),
                         map.remote_peers[e->tag].key.text()));
  });
}

void check_refused_peers(const NetworkMap& map, Judge& judge) {
  std::vector<Key> refused;
  for (size_t i = 0; i < map.remote_peers.size(); ++i)
    if (!judge.has_peer(i)) refused.push_back(map.remote_peers[i].key);
  std::ranges::sort(refused);
  for (size_t r = 0; r < map.routes.size(); ++r)
    if (std::ranges::binary_search(refused, map.routes[r].peer))
      judge.refuse_route(r, "its routing peer is refused");
}

}  // namespace

void check_routes(const NetworkMap& map, const MapContext& context, Judge& judge) {
  if (map.routes.empty()) return;
  check_kinds(map, judge);
  check_known_peers(map, context, judge);
  check_overlay(map, judge);
}

void check_routes_against_peers(const Config& config, const NetworkMap& map,
                                const MapContext& context, Judge& judge) {
  if (map.routes.empty()) return;
  check_refused_peers(map, judge);
  check_owners(map, judge);
  check_endpoints(config, map, context, judge);
}

}  // namespace wigeon
