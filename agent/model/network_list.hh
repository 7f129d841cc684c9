// SPDX-License-Identifier: GPL-2.0-or-later
// What `wigeon networks list` shows: the networks of the map that others serve, also
// those that are refused, so that nothing of the map is missing without a word. Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/model/client_routes.hh"

namespace wigeon {

struct ListedNetwork {
  std::string id{};
  std::vector<Prefix> networks{};
  std::vector<DomainName> domains{};
  bool selected = false;
  std::string reason{};  // why not all of it is routed; empty when it is
};

// By id.
std::vector<ListedNetwork> list_networks(const NetworkMap& map, const Accepted& accepted,
                                         const Key& own, const ClientRoutes& routes);

// What this host serves to others.
std::vector<Prefix> served_networks(const NetworkMap& map, const Accepted& accepted,
                                    const Key& own);

}  // namespace wigeon
