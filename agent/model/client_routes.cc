// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/client_routes.hh"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "agent/base/sort_unique.hh"

namespace wigeon {
namespace {

using Indexes = std::vector<size_t>;

// The routes of others that apply: groups next to each other, in them one routing peer
// after the other, its best metric first.
Indexes sorted_routes(const NetworkMap& map, const Accepted& accepted, const Key& own) {
  Indexes out;
  for (size_t i = 0; i < map.routes.size(); ++i)
    if (accepted.routes[i] && map.routes[i].network && map.routes[i].peer != own)
      out.push_back(i);
  std::ranges::sort(out, {}, [&](size_t i) {
    const auto& r = map.routes[i];
    return std::tuple(std::string_view(network_id(r)), *r.network, r.peer, r.metric, i);
  });
  return out;
}

std::string_view text(RouteChoice::Why why) {
  switch (why) {
    case RouteChoice::Why::none:
      return "no way to any of its routing peers is known yet";
    case RouteChoice::Why::only:
      return "the only routing peer that can be reached";
    case RouteChoice::Why::best:
      return "the best routing peer";
    case RouteChoice::Why::kept:
      return "kept: no other is better by more than 0.01 points";
  }
  return "";
}

class Chooser {
 public:
  explicit Chooser(const ClientRoutesInput& in)
      : in_(in),
        available_(available_networks(*in.map, *in.accepted, in.own)),
        in_use_(networks_in_use(*in.selection, available_)) {}

  ClientRoutes choose() {
    out_.exit_node = in_use_.exit_node;
    const auto routes = sorted_routes(*in_.map, *in_.accepted, in_.own);
    for (size_t first = 0; first < routes.size();) {
      size_t last = first + 1;
      while (last < routes.size() && same_group(routes[first], routes[last])) ++last;
      add_group(std::span(routes).subspan(first, last - first));
      first = last;
    }
    assign();
    return std::move(out_);
  }

 private:
  struct Want {
    Prefix network{};
    size_t group = 0;
    auto operator<=>(const Want&) const = default;
  };

  [[nodiscard]] const MapRoute& route(size_t i) const { return in_.map->routes[i]; }
  [[nodiscard]] bool same_group(size_t a, size_t b) const {
    return network_id(route(a)) == network_id(route(b)) &&
           route(a).network == route(b).network;
  }
  [[nodiscard]] const RoutePath* path(const Key& peer) const {
    const auto at = in_.routers->find(peer);
    return at == in_.routers->end() ? nullptr : &at->second;
  }

  // Why a group is not to be routed at all; empty when it is.
  std::string unwanted(const RouteGroup& g) const {
    const auto& routing = in_.config->routing;
    const auto& own = in_.map->peer_config;
    if (routing.disable_client_routes)
      return "client routes are off (routing.disableClientRoutes)";
    if (g.network.bits() == 0 && !routing.allow_default_route)
      return "exit nodes are off (routing.allowDefaultRoute)";
    if (g.network.family() == Family::v6 && in_.config->disable_ipv6)
      return "IPv6 is off (disableIPv6)";
    if (g.network.family() == Family::v4 ? !own.address : !own.address_v6)
      return fmt::format("this host has no {} address in the overlay",
                         g.network.family() == Family::v4 ? "IPv4" : "IPv6");
    if (g.selected) return {};
    const auto& n =
        *std::ranges::lower_bound(available_, g.network_id, {}, &AvailableNetwork::id);
    const auto& s = *in_.selection;
    if (s.deselected_all || std::ranges::binary_search(s.deselected, g.network_id))
      return "not selected";
    if (n.exit_node && !out_.exit_node.empty() && out_.exit_node != g.network_id &&
        (n.automatic || std::ranges::binary_search(s.selected, g.network_id)))
      return "another exit node is in use: " + out_.exit_node;
    return n.automatic ? "not selected" : "does not apply until it is selected";
  }

  void add_group(std::span<const size_t> routes) {
    const auto& first = route(routes.front());
    RouteGroup g{.network_id = network_id(first), .network = *first.network};
    g.id = g.network_id + "|" + g.network.text();
    const auto at =
        std::ranges::lower_bound(available_, g.network_id, {}, &AvailableNetwork::id);
    g.selected = in_use_.used[static_cast<size_t>(at - available_.begin())];
    std::vector<RouteCandidate> candidates;
    Indexes of;
    for (const size_t i : routes) {
      if (!of.empty() && route(of.back()).peer == route(i).peer) continue;
      const auto* known = path(route(i).peer);
      candidates.push_back({.metric = route(i).metric,
                            .path = known ? std::optional(*known) : std::nullopt});
      of.push_back(i);
    }
    g.candidates = of.size();
    g.reason = unwanted(g);
    if (g.reason.empty()) decide(g, candidates, of);
    out_.groups.push_back(std::move(g));
  }

  void decide(RouteGroup& g, const std::vector<RouteCandidate>& candidates,
              const Indexes& of) {
    std::optional<size_t> current;
    if (const auto was = in_.previous->chosen.find(g.id);
        was != in_.previous->chosen.end())
      for (size_t i = 0; i < of.size(); ++i)
        if (route(of[i]).peer == was->second) current = i;
    const auto choice = choose_route(candidates, current);
    for (const size_t i : of) rivals_.emplace_back(g.network, route(i).peer);
    g.reason = text(choice.why);
    if (!choice.index) return;
    g.route = of[*choice.index];
    g.connected = candidates[*choice.index].path->connected;
    if (!g.connected) g.reason += ", not connected";
    out_.memory.chosen.emplace(g.id, route(*g.route).peer);
    wants_.push_back({g.network, out_.groups.size()});
  }

  // One peer for each prefix.
  void assign() {
    std::ranges::sort(wants_);
    for (size_t first = 0; first < wants_.size();) {
      size_t last = first + 1;
      while (last < wants_.size() && wants_[last].network == wants_[first].network)
        ++last;
      give(std::span(wants_).subspan(first, last - first));
      first = last;
    }
    sort_unique(rivals_);
    for (size_t i = 1; i < rivals_.size(); ++i) {
      if (rivals_[i].first != rivals_[i - 1].first) continue;
      out_.contested.push_back(rivals_[i - 1].second);
      out_.contested.push_back(rivals_[i].second);
    }
    sort_unique(out_.contested);
  }

  void give(std::span<const Want> wants) {
    const auto& prefix = wants.front().network;
    const auto was = in_.previous->owners.find(prefix);
    const auto rank = [&](const Want& w) {
      const auto& g = out_.groups[w.group];
      const auto& peer = route(*g.route).peer;
      const bool has_it = was != in_.previous->owners.end() && was->second == peer;
      return std::tuple(!g.connected, !has_it, peer);
    };
    const auto& winner = out_.groups[std::ranges::min(wants, {}, rank).group];
    const std::string id = winner.network_id;
    const Key peer = route(*winner.route).peer;
    out_.memory.owners.emplace(prefix, peer);
    for (const auto& w : wants) {
      auto& g = out_.groups[w.group];
      if (route(*g.route).peer == peer) continue;
      g.route.reset();
      g.connected = false;
      g.reason = fmt::format("{} goes through {} already, for {}", prefix.text(),
                             name(peer), printable(id));
    }
  }

  std::string name(const Key& peer) {
    if (names_.empty())
      for (const auto& p : in_.map->remote_peers) names_.emplace(p.key, p.fqdn_text());
    const auto at = names_.find(peer);
    return at == names_.end() || at->second.empty() ? peer.text()
                                                    : std::string(at->second);
  }

  const ClientRoutesInput& in_;
  std::vector<AvailableNetwork> available_;
  NetworksInUse in_use_;
  ClientRoutes out_{};
  std::vector<Want> wants_{};
  std::vector<std::pair<Prefix, Key>> rivals_{};
  std::map<Key, std::string> names_{};  // when somebody asks
};

}  // namespace

ClientRoutes choose_routes(const ClientRoutesInput& in) { return Chooser(in).choose(); }

Routers routers_of(const NetworkMap& map, const Accepted& accepted,
                   const KnownDevice& device, const std::map<Key, Liveness>& liveness) {
  std::vector<Key> routing;
  routing.reserve(map.routes.size());
  for (const auto& r : map.routes) routing.push_back(r.peer);
  std::ranges::sort(routing);
  Routers routers;
  for (size_t i = 0; i < map.remote_peers.size(); ++i) {
    const auto p = map.remote_peers[i];
    if (!accepted.peers[i] || !std::ranges::binary_search(routing, p.key)) continue;
    const auto at =
        std::ranges::lower_bound(device.peers, p.key, {}, &KnownPeer::public_key);
    const bool there = at != device.peers.end() && at->public_key == p.key;
    const auto heard = liveness.find(p.key);
    const bool silent =
        heard != liveness.end() && heard->second.state() == Liveness::State::dead;
    const bool connected = there && at->session && !silent;
    if (connected || !p.endpoints().empty() || (there && at->endpoint != 0))
      routers[p.key] = {.connected = connected};
  }
  return routers;
}

std::vector<AvailableNetwork> available_networks(const NetworkMap& map,
                                                 const Accepted& accepted,
                                                 const Key& own) {
  std::vector<AvailableNetwork> out;
  for (const size_t i : sorted_routes(map, accepted, own)) {
    const auto& r = map.routes[i];
    if (out.empty() || out.back().id != network_id(r))
      out.push_back({.id = network_id(r)});
    if (is_exit_node(r)) out.back().exit_node = true;
    if (r.skip_auto_apply) out.back().automatic = false;
  }
  return out;
}

std::map<Key, std::vector<Prefix>> networks_by_peer(const ClientRoutes& routes) {
  std::map<Key, std::vector<Prefix>> out;
  for (const auto& [prefix, peer] : routes.memory.owners) out[peer].push_back(prefix);
  return out;
}

}  // namespace wigeon
