// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/network_list.hh"

#include "agent/base/sort_unique.hh"

namespace wigeon {

std::vector<ListedNetwork> list_networks(const NetworkMap& map, const Accepted& accepted,
                                         const Key& own, const ClientRoutes& routes) {
  std::map<std::string, ListedNetwork> listed;
  const auto of = [&](const std::string& id) -> ListedNetwork& {
    auto& n = listed[id];
    n.id = id;
    return n;
  };
  for (const auto& g : routes.groups) {
    auto& n = of(g.network_id);
    n.networks.push_back(g.network);
    n.selected |= g.selected;
    if (!g.route && n.reason.empty()) n.reason = g.reason;
  }
  for (size_t i = 0; i < map.routes.size(); ++i) {
    const auto& r = map.routes[i];
    if (r.peer == own || accepted.routes[i]) continue;
    auto& n = of(network_id(r));
    if (r.domains.empty() && r.network) n.networks.push_back(*r.network);
    n.domains.insert(n.domains.end(), r.domains.begin(), r.domains.end());
    if (n.reason.empty()) n.reason = "refused in part or whole; status says why";
  }
  std::vector<ListedNetwork> out;
  for (auto& [id, n] : listed) {
    sort_unique(n.networks);
    sort_unique(n.domains);
    out.push_back(std::move(n));
  }
  return out;
}

std::vector<Prefix> served_networks(const NetworkMap& map, const Accepted& accepted,
                                    const Key& own) {
  std::vector<Prefix> out;
  for (size_t i = 0; i < map.routes.size(); ++i)
    if (accepted.routes[i] && map.routes[i].peer == own && map.routes[i].network)
      out.push_back(*map.routes[i].network);
  sort_unique(out);
  return out;
}

}  // namespace wigeon
