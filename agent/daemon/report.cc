// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/report.hh"

#include <algorithm>

namespace wigeon {
namespace {

const ObservedPeer* find(const Observed& observed, const Key& key) {
  const auto& peers = observed.device.peers;
  const auto at = std::ranges::lower_bound(
      peers, key, {}, [](const ObservedPeer& p) { return p.peer.public_key; });
  return at != peers.end() && at->peer.public_key == key ? &*at : nullptr;
}

// The peer's own addresses: the host prefixes it may use.
void set_addresses(const RemotePeer& peer, PeerStatus& s) {
  for (const auto& p : peer.allowed_ips) {
    if (!p.is_host()) continue;
    auto& to = p.address().is_v4() ? s.ip : s.ipv6;
    if (!to) to = p.address();
  }
}

PeerStatus peer_status(const RemotePeer& peer, const ReportInput& in, WallTime now) {
  PeerStatus s;
  s.fqdn = peer.fqdn.text();
  s.public_key = peer.key;
  set_addresses(peer, s);
  const ObservedPeer* have =
      in.up && in.observed ? find(*in.observed, peer.key) : nullptr;
  s.state = peer_state(have, now);
  if (in.seen)
    if (const auto seen = in.seen->find(peer.key); seen != in.seen->end())
      s.last_update = seen->second.since;
  if (!have) return s;
  s.last_handshake = have->stats.last_handshake;
  s.received = have->stats.rx_bytes;
  s.sent = have->stats.tx_bytes;
  if (s.state != PeerState::connected) return s;
  s.connection = ConnectionType::p2p;
  if (have->peer.endpoint) s.ice_candidate_endpoint.remote = have->peer.endpoint->text();
  return s;
}

void add_peers(const ReportInput& in, WallTime now, PeersStatus& peers) {
  for (const auto& p : in.map->remote_peers)
    peers.details.push_back(peer_status(p, in, now));
  for (const auto& p : in.map->offline_peers) {
    PeerStatus s;
    s.fqdn = p.fqdn.text();
    s.public_key = p.key;
    set_addresses(p, s);
    peers.details.push_back(std::move(s));
  }
  std::ranges::sort(peers.details, {}, [](const PeerStatus& p) { return p.ip; });
  peers.total = peers.details.size();
  peers.connected = static_cast<uint64_t>(std::ranges::count(
      peers.details, PeerState::connected, [](const PeerStatus& p) { return p.state; }));
}

void add_nameservers(const NetworkMap& map, StatusReport& report) {
  for (const auto& g : map.dns.groups) {
    NameserverStatus s;
    for (const auto& server : g.servers)
      s.servers.push_back(Endpoint{server.ip, server.port}.text());
    for (const auto& d : g.domains) s.domains.push_back(d.text());
    s.error = "nameserver groups are not asked yet; the host's original servers are";
    report.nameservers.push_back(std::move(s));
  }
}

std::string join(const std::string& a, const std::string& b) {
  return a.empty() ? b : b.empty() ? a : a + "; " + b;
}

}  // namespace

PeerState peer_state(const ObservedPeer* peer, WallTime now) {
  if (!peer) return PeerState::idle;
  if (has_session(peer->stats, now)) return PeerState::connected;
  return peer->peer.endpoint ? PeerState::connecting : PeerState::idle;
}

void note_peers(const Observed& observed, WallTime now, std::map<Key, PeerSeen>& seen) {
  std::erase_if(seen, [&](const auto& s) { return !find(observed, s.first); });
  for (const auto& p : observed.device.peers) {
    const auto state = peer_state(&p, now);
    auto [at, fresh] = seen.try_emplace(p.peer.public_key);
    if (fresh || at->second.state != state) at->second = {state, now};
  }
}

StatusReport make_report(const ReportInput& in, WallTime now) {
  StatusReport r;
  r.daemon_version = WIGEON_VERSION;
  r.daemon_status = !in.up       ? DaemonStatus::idle
                    : in.applied ? DaemonStatus::connected
                                 : DaemonStatus::connecting;
  // NetBird's management service is our map source; there is no signal service and no
  // relay.
  r.management = {in.map_status.source, in.map && in.map_status.error.empty(),
                  in.map_status.error};
  r.signal.error = "not used: endpoints come from the network map";
  r.public_key = in.public_key;
  r.kernel_interface = in.kernel_tunnel;
  r.wireguard_port = in.config->wireguard_port;
  r.profile = "default";
  r.dns = in.dns;
  r.datapath = {
      .interface = in.config->interface_name,
      .reason = "the filter is not built yet: every packet of every peer passes"};
  for (const auto& refusal : in.refused)
    r.routing.refused.push_back({refusal.what, refusal.reason});
  r.map = in.map_status;
  r.degraded = in.degraded;
  r.events = in.events;
  r.routing.operations = in.operations;
  if (in.observed) {
    r.routing.routes = in.observed->routes.size();
    r.routing.rules = in.observed->rules.size();
  }
  if (!in.map) return r;
  r.map.serial = in.map->serial;
  r.map.peers = in.map->remote_peers.size();
  r.map.offline_peers = in.map->offline_peers.size();
  r.fqdn = in.map->peer_config.fqdn.text();
  if (in.up) {
    r.ip = in.map->peer_config.address;
    if (!in.config->disable_ipv6) r.ipv6 = in.map->peer_config.address_v6;
  }
  add_peers(in, now, r.peers);
  add_nameservers(*in.map, r);
  if (in.map->firewall_rules.empty())
    r.datapath.reason =
        join(r.datapath.reason, "the map has no rules: default deny once it is");
  if (!in.map->routes.empty())
    r.degraded.push_back(
        {"routes",
         std::to_string(in.map->routes.size()) + " routes of the map are not applied yet",
         Severity::warning});
  return r;
}

}  // namespace wigeon
