// SPDX-License-Identifier: GPL-2.0-or-later
// Networks behind other peers: which routing peer each is reached through, and so in
// whose allowed IPs its prefix is. Pure; desired() makes peers and routes of it.
//
//   Routes of one NetID and Network are a group, and its routing peers stand in for each
//   other: route_score.hh chooses. Groups of different ids may want the same prefix; the
//   kernel gives a prefix to one peer, so: a connected one before others, the one that
//   has it before others, else the smallest key.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/config.hh"
#include "agent/model/liveness.hh"
#include "agent/model/network_map.hh"
#include "agent/model/network_selection.hh"
#include "agent/model/route_score.hh"
#include "agent/model/state.hh"
#include "agent/model/validate.hh"

namespace wigeon {

// What is known of the peers that routes lead through. One that is not in it cannot be
// chosen: it is offline, refused, or there is no way to reach it yet.
using Routers = std::map<Key, RoutePath>;

// From one round to the next.
struct RouteMemory {
  std::map<std::string, Key> chosen{};  // by RouteGroup::id
  std::map<Prefix, Key> owners{};       // who has the prefix because of a route
};

struct RouteGroup {
  std::string id{};          // "NetID|Network"
  std::string network_id{};  // what the user calls it
  Prefix network{};
  bool selected = false;
  bool connected = false;         // whom it goes through is
  size_t candidates = 0;          // routing peers
  std::optional<size_t> route{};  // of NetworkMap::routes, the one in force
  std::string reason{};           // why that one, or why none
};

struct ClientRoutes {
  std::vector<RouteGroup> groups{};  // by network id and network
  RouteMemory memory{};              // its owners are what is in force
  std::string exit_node{};           // NetworkSelection::exit_node from now on
  // Peers whose liveness decides something: prefixes that have another routing peer.
  std::vector<Key> contested{};  // sorted
};

struct ClientRoutesInput {
  const Config* config = nullptr;
  const NetworkMap* map = nullptr;
  const Accepted* accepted = nullptr;
  Key own{};
  const NetworkSelection* selection = nullptr;
  const Routers* routers = nullptr;
  const RouteMemory* previous = nullptr;
};

ClientRoutes choose_routes(const ClientRoutesInput& in);

// The paths to the routing peers of a map: of accepted peers that are connected, or that
// have an endpoint to try. A peer need not be in the device yet.
Routers routers_of(const NetworkMap& map, const Accepted& accepted,
                   const KnownDevice& device, const std::map<Key, Liveness>& liveness);

// The networks that can be selected: what choose_routes() makes groups of. By id.
std::vector<AvailableNetwork> available_networks(const NetworkMap& map,
                                                 const Accepted& accepted,
                                                 const Key& own);

// What of `owners` is with each peer; sorted.
std::map<Key, std::vector<Prefix>> networks_by_peer(const ClientRoutes& routes);

// "NetID", or "ID" when that is missing.
inline const std::string& network_id(const MapRoute& r) {
  return r.net_id.empty() ? r.id : r.net_id;
}

// 0.0.0.0/0 or ::/0.
inline bool is_exit_node(const MapRoute& r) {
  return r.network && r.network->bits() == 0;
}

}  // namespace wigeon
