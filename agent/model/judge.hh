// SPDX-License-Identifier: GPL-2.0-or-later
// What validate.cc and validate_host.cc share: how a verdict is written.
#pragma once

#include <string>

#include "agent/model/validate.hh"

namespace wigeon {

class Judge {
 public:
  Judge(const NetworkMap& map, const MapContext& context, Verdict& verdict)
      : map_(map), context_(context), verdict_(verdict) {}

  void refuse_map(std::string_view pointer, std::string value, std::string reason);
  void refuse_peer(size_t peer, std::string reason);
  // Leaves one network of a peer out; a peer with none left is refused.
  void refuse_allowed_ip(size_t peer, size_t index, std::string reason);
  // Leaves one endpoint of a peer out.
  void refuse_endpoint(size_t peer, std::string reason);
  void refuse_route(size_t route, std::string reason);
  void note(std::string text);

  [[nodiscard]] bool has_peer(size_t peer) const { return verdict_.accepted.peers[peer]; }
  [[nodiscard]] bool has_allowed_ip(size_t peer, size_t index) const {
    return verdict_.accepted.has_allowed_ip(peer, index);
  }
  [[nodiscard]] bool has_route(size_t route) const {
    return verdict_.accepted.routes[route];
  }
  // A route to a network behind somebody else, so one that diverts our traffic.
  [[nodiscard]] bool is_client_route(size_t route) const;

  // "/remotePeers/3/allowedIps/0"
  [[nodiscard]] std::string peer_pointer(size_t peer) const;
  [[nodiscard]] std::string allowed_ip_pointer(size_t peer, size_t index) const;

  // visit(prefix, refuse) for every allowed IP and client route that is still accepted;
  // refuse(reason) leaves it out.
  void each_network(auto visit) {
    each_allowed_ip(visit);
    each_client_network(visit);
  }
  void each_allowed_ip(auto visit) {
    for (size_t p = 0; p < map_.remote_peers.size(); ++p) {
      const auto& allowed = map_.remote_peers[p].allowed_ips;
      for (size_t i = 0; i < allowed.size() && has_peer(p); ++i)
        if (has_allowed_ip(p, i))
          visit(allowed[i],
                [&](std::string reason) { refuse_allowed_ip(p, i, std::move(reason)); });
    }
  }
  void each_client_network(auto visit) {
    for (size_t r = 0; r < map_.routes.size(); ++r)
      if (map_.routes[r].network && has_route(r) && is_client_route(r))
        visit(*map_.routes[r].network,
              [&](std::string reason) { refuse_route(r, std::move(reason)); });
  }

 private:
  void refuse(Refusal r);

  const NetworkMap& map_;
  const MapContext& context_;
  Verdict& verdict_;
};

// The routes' part of validate(): by themselves, and against the peers that are still
// accepted.
void check_routes(const NetworkMap& map, const MapContext& context, Judge& judge);
void check_routes_against_peers(const Config& config, const NetworkMap& map,
                                const MapContext& context, Judge& judge);

// Whether routes of the map may get a table of their own, behind rules that keep
// WireGuard's own packets out of it.
bool may_be_full_tunnel(const Config& config, const NetworkMap& map,
                        const MapContext& context);

// A network that serves as a default route, alone or as one half of the usual trick.
bool is_default_like(const Prefix& p);

}  // namespace wigeon
