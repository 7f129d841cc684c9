// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/desired.hh"

#include <algorithm>

#include "agent/base/sort_unique.hh"
#include "agent/model/forwarding.hh"
#include "agent/model/full_tunnel.hh"

namespace wigeon {
namespace {

// The first of them. Which one is to be tried is choose()'s.
std::optional<Endpoint> endpoint_of(const PeerView& peer, const Resolved& resolved,
                                    const Accepted& accepted) {
  if (const auto only = peer.only_endpoint()) {
    if (std::ranges::binary_search(accepted.unusable_endpoints, only->address))
      return std::nullopt;
    return only;
  }
  const auto c = candidates(peer.endpoints(), resolved, accepted.unusable_endpoints);
  if (c.list.empty()) return std::nullopt;
  return c.list.front();
}

// Sorted.
std::vector<InterfaceAddress> addresses_of(const Config& config, const NetworkMap& map,
                                           const HostView& host) {
  std::vector<InterfaceAddress> own;
  if (map.peer_config.address) own.push_back(*map.peer_config.address);
  if (map.peer_config.address_v6 && !config.disable_ipv6 && host.ipv6)
    own.push_back(*map.peer_config.address_v6);
  std::ranges::sort(own);
  return own;
}

// Those that the map gives the peer, and what is routed through it besides. Sorted.
std::vector<Prefix> allowed_ips_of(const Config& config, const NetworkMap& map,
                                   size_t peer, const Accepted& accepted,
                                   const std::map<Key, std::vector<Prefix>>& behind) {
  const auto from = map.remote_peers[peer];
  std::vector<Prefix> allowed;
  allowed.reserve(from.allowed_ips.size());
  for (size_t i = 0; i < from.allowed_ips.size(); ++i) {
    const auto& p = from.allowed_ips[i];
    if (p.family() == Family::v6 && config.disable_ipv6) continue;
    if (accepted.has_allowed_ip(peer, i)) allowed.push_back(p);
  }
  if (const auto at = behind.find(from.key); at != behind.end())
    allowed.insert(allowed.end(), at->second.begin(), at->second.end());
  sort_unique(allowed);
  return allowed;
}

// Whether our link needs a route to it: the kernel itself makes those to the networks of
// own addresses, and without one of the family there is nothing to send from.
bool needs_route(const Prefix& p, const std::vector<Prefix>& own) {
  const auto holds = [&](const Prefix& n) { return n.contains(p); };
  return std::ranges::count(own, p.family(), &Prefix::family) > 0 &&
         std::ranges::none_of(own, holds);
}

}  // namespace

Desired desired(const Config& config, const NetworkMap& map, const SecretKey& own,
                const SecretKey& own_preshared, const Resolved& resolved,
                const Accepted& accepted, const HostView& host,
                const ClientRoutes& client_routes) {
  Desired d;
  d.link = config.interface_name;
  d.mtu = map.peer_config.mtu != 0 && !config.given("/mtu") ? map.peer_config.mtu
                                                            : config.mtu;
  d.private_key = own;
  d.listen_port = config.wireguard_port;
  d.fwmark = config.routing.mark;
  d.addresses = addresses_of(config, map, host);
  std::vector<Prefix> own_networks;
  for (const auto& a : d.addresses) own_networks.push_back(a.network());
  const auto behind = networks_by_peer(client_routes);
  d.peers.reserve(map.remote_peers.size());
  for (const auto i : map.remote_peers.by_key()) {
    if (!accepted.peers[i]) continue;
    const auto from = map.remote_peers[i];
    auto& peer = d.peers.emplace_back();
    peer.public_key = from.key;
    peer.preshared_key = from.preshared_key ? *from.preshared_key : own_preshared;
    peer.endpoint = endpoint_of(from, resolved, accepted);
    peer.keepalive = from.keepalive.value_or(kDefaultKeepalive);
    peer.allowed_ips = allowed_ips_of(config, map, i, accepted, behind);
    for (const auto& p : peer.allowed_ips)
      if (needs_route(p, own_networks))
        d.routes.push_back({.destination = p, .protocol = kRouteProtocol});
  }
  add_full_tunnel(config, map, host, d);  // moves what is in d.routes so far
  close_overlay(config, map, host, d);
  d.sysctls = forwarding_sysctls(config, map, own.public_key(), accepted, host);
  sort_unique(d.routes);
  sort_unique(d.rules);
  return d;
}

void add_tunnel_sysctls(Desired& d) {
  if (d.link_kind != "wireguard") return;
  d.sysctls.push_back({"net/ipv4/conf/all/send_redirects", "0"});
  sort_unique(d.sysctls);
}

}  // namespace wigeon
