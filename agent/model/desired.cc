// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/desired.hh"

#include <algorithm>

namespace wigeon {
namespace {

void sort_unique(auto& list) {
  std::ranges::sort(list);
  const auto twice = std::ranges::unique(list);
  list.erase(twice.begin(), twice.end());
}

std::optional<Endpoint> endpoint_of(const RemotePeer& peer,
                                    const std::map<HostPort, Endpoint>& resolved) {
  if (!peer.endpoint) return std::nullopt;
  if (const auto literal = Address::parse(peer.endpoint->host))
    return Endpoint{*literal, peer.endpoint->port};
  const auto at = resolved.find(*peer.endpoint);
  if (at == resolved.end()) return std::nullopt;
  return at->second;
}

// In full-tunnel mode our routes are in a table of their own, behind rules that let the
// host's specific routes win and keep WireGuard's own packets out:
//   105  lookup main suppress_prefixlength 0
//   110  not fwmark MARK/MASK lookup TABLE
void add_rules(const Config& config, Family family, std::vector<Rule>& rules) {
  const auto& r = config.routing;
  rules.push_back({.family = family,
                   .priority = r.rule_priority,
                   .table = RT_TABLE_MAIN,
                   .suppress_prefix_length = 0,
                   .protocol = kRouteProtocol});
  rules.push_back({.family = family,
                   .priority = r.rule_priority + 5,
                   .mark = r.mark,
                   .mark_mask = r.mark_mask,
                   .invert = true,
                   .table = r.table,
                   .protocol = kRouteProtocol});
}

}  // namespace

Desired desired(const Config& config, const NetworkMap& map, const SecretKey& own,
                const SecretKey& own_preshared,
                const std::map<HostPort, Endpoint>& resolved, const Accepted& accepted) {
  Desired d;
  d.link = config.interface_name;
  d.mtu = map.peer_config.mtu != 0 && !config.given("/mtu") ? map.peer_config.mtu
                                                            : config.mtu;
  d.private_key = own;
  d.listen_port = config.wireguard_port;
  d.fwmark = config.routing.mark;

  const bool has_v4 = map.peer_config.address.has_value();
  const bool has_v6 = map.peer_config.address_v6.has_value() && !config.disable_ipv6;
  if (has_v4) d.addresses.push_back(*map.peer_config.address);
  if (has_v6) d.addresses.push_back(*map.peer_config.address_v6);
  std::ranges::sort(d.addresses);

  const bool full_tunnel = config.routing.allow_default_route;
  const uint32_t table = full_tunnel ? config.routing.table : uint32_t{RT_TABLE_MAIN};
  // The kernel itself makes the route to the network of an own address.
  const auto on_link = [&](const Prefix& p) {
    return std::ranges::any_of(
        d.addresses, [&](const InterfaceAddress& a) { return a.network().contains(p); });
  };
  for (size_t i = 0; i < map.remote_peers.size(); ++i) {
    const auto& verdict = accepted.peers[i];
    if (!verdict.accepted) continue;
    const auto& from = map.remote_peers[i];
    Peer peer{.public_key = from.key,
              .preshared_key =
                  from.preshared_key.is_zero() ? own_preshared : from.preshared_key,
              .endpoint = endpoint_of(from, resolved),
              .keepalive = from.keepalive.value_or(kDefaultKeepalive)};
    for (size_t a = 0; a < from.allowed_ips.size(); ++a) {
      const auto& p = from.allowed_ips[a];
      if (p.family() == Family::v6 && config.disable_ipv6) continue;
      if (std::ranges::binary_search(verdict.left_out, a)) continue;
      peer.allowed_ips.push_back(p);
      // Without an address of the family there is nothing to send from.
      if ((p.family() == Family::v4 ? has_v4 : has_v6) && !on_link(p))
        d.routes.push_back(
            {.destination = p, .table = table, .protocol = kRouteProtocol});
    }
    sort_unique(peer.allowed_ips);
    d.peers.push_back(std::move(peer));
  }
  std::ranges::sort(d.peers, {}, &Peer::public_key);
  sort_unique(d.routes);
  if (full_tunnel) {
    if (has_v4) add_rules(config, Family::v4, d.rules);
    if (has_v6) add_rules(config, Family::v6, d.rules);
    std::ranges::sort(d.rules);
  }
  return d;
}

}  // namespace wigeon
