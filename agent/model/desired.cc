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

  const bool has_v4 = map.peer_config.address.has_value();
  const bool has_v6 =
      map.peer_config.address_v6.has_value() && !config.disable_ipv6 && host.ipv6;
  if (has_v4) d.addresses.push_back(*map.peer_config.address);
  if (has_v6) d.addresses.push_back(*map.peer_config.address_v6);
  std::ranges::sort(d.addresses);

  // The kernel itself makes the route to the network of an own address.
  std::vector<Prefix> link_networks;
  for (const auto& a : d.addresses) link_networks.push_back(a.network());
  const auto on_link = [&](const Prefix& p) {
    return std::ranges::any_of(link_networks,
                               [&](const Prefix& n) { return n.contains(p); });
  };
  const auto route = [&](const Prefix& p) {
    // Without an address of the family there is nothing to send from.
    if ((p.family() == Family::v4 ? has_v4 : has_v6) && !on_link(p))
      d.routes.push_back({.destination = p, .protocol = kRouteProtocol});
  };
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
    peer.allowed_ips.reserve(from.allowed_ips.size());
    for (size_t a = 0; a < from.allowed_ips.size(); ++a) {
      const auto& p = from.allowed_ips[a];
      if (p.family() == Family::v6 && config.disable_ipv6) continue;
      if (!accepted.has_allowed_ip(i, a)) continue;
      peer.allowed_ips.push_back(p);
      route(p);
    }
    if (const auto at = behind.find(from.key); at != behind.end()) {
      for (const auto& p : at->second) {
        peer.allowed_ips.push_back(p);
        route(p);
      }
    }
    sort_unique(peer.allowed_ips);
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
