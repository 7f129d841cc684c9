// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/route_keeper.hh"

#include <algorithm>

#include "agent/base/file.hh"
#include "agent/base/log.hh"
#include "agent/daemon/peer_history.hh"
#include "agent/daemon/state_files.hh"

namespace wigeon {

Result<void> RouteKeeper::load() {
  const auto text = read_file(selection_file(directory_), kMaxSelectionBytes);
  if (!text && text.error().code == ENOENT) return {};
  if (!text) return within(selection_file(directory_), text.error());
  selection_ = TRY(decode_selection(*text, selection_file(directory_)));
  return {};
}

Result<void> RouteKeeper::keep(NetworkSelection selection) {
  if (selection == selection_) return {};
  TRY(replace_file(selection_file(directory_), encode(selection), 0600));
  selection_ = std::move(selection);
  return {};
}

ClientRoutes RouteKeeper::chosen(const Config& config, const NetworkMap& map,
                                 const Accepted& accepted,
                                 const KnownDevice& device) const {
  const auto routers = routers_of(map, accepted, device, liveness_);
  return choose_routes({.config = &config,
                        .map = &map,
                        .accepted = &accepted,
                        .own = own_,
                        .selection = &selection_,
                        .routers = &routers,
                        .previous = &routes_.memory});
}

void RouteKeeper::adopt(const NetworkMap& map, const ObservedDevice& device) {
  for (const auto& r : map.routes) {
    if (!r.network || r.peer == own_) continue;
    const auto* p = find_peer(device, r.peer);
    if (!p || !std::ranges::binary_search(p->peer.allowed_ips, *r.network)) continue;
    routes_.memory.chosen[network_id(r) + "|" + r.network->text()] = r.peer;
    routes_.memory.owners[*r.network] = r.peer;
  }
}

// Also while a network's peer has no session yet: it may get one unheard.
bool RouteKeeper::wants_samples() const {
  return !routes_.contested.empty() ||
         std::ranges::any_of(routes_.groups, [](const RouteGroup& g) {
           return g.selected && !g.connected;
         });
}

void RouteKeeper::choose(const Config& config, const NetworkMap& map,
                         const Accepted& accepted, const KnownDevice& device) {
  if (map.routes.empty()) return clear();
  routes_ = chosen(config, map, accepted, device);
  std::erase_if(liveness_, [&](const auto& l) {
    return !std::ranges::binary_search(routes_.contested, l.first);
  });
  if (routes_.exit_node == selection_.exit_node) return;
  auto selection = selection_;
  selection.exit_node = routes_.exit_node;
  if (auto kept = keep(selection); !kept) {
    log::warning("{}; a restart may pick another exit node", kept.error().what);
    selection_ = std::move(selection);
  }
}

void RouteKeeper::clear() {
  routes_ = {};
  liveness_.clear();
}

void RouteKeeper::sample(const ObservedDevice& device) {
  for (const auto& key : routes_.contested) {
    const auto* p = find_peer(device, key);
    if (!p) continue;
    (void)liveness_[key].update(Liveness::Clock::now(), p->stats,
                                std::chrono::seconds(p->peer.keepalive));
  }
}

bool RouteKeeper::review(const Config& config, const NetworkMap& map,
                         const Accepted& accepted, const KnownDevice& device) {
  if (map.routes.empty()) return false;
  auto now = chosen(config, map, accepted, device);
  if (now.memory.owners != routes_.memory.owners) return true;
  routes_.groups = std::move(now.groups);
  return false;
}

Result<void> RouteKeeper::select(const NetworkMap& map, const Accepted& accepted,
                                 const NetworksParams& params) {
  const auto available = available_networks(map, accepted, own_);
  if (params.all) return keep(select_all_networks(selection_, available));
  return keep(
      TRY(select_networks(selection_, available, params.ids,
                          params.append ? SelectMode::append : SelectMode::replace)));
}

Result<void> RouteKeeper::deselect(const NetworkMap& map, const Accepted& accepted,
                                   const NetworksParams& params) {
  if (params.all) return keep(deselect_all_networks(selection_));
  const auto available = available_networks(map, accepted, own_);
  return keep(TRY(deselect_networks(selection_, available, params.ids)));
}

}  // namespace wigeon
