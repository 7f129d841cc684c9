// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/report.hh"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace wigeon {
namespace {

// The peer's own addresses: the host prefixes it may use.
void set_addresses(const PeerView& peer, PeerStatus& s) {
  for (const auto& p : peer.allowed_ips) {
    if (!p.is_host()) continue;
    auto& to = p.address().is_v4() ? s.ip : s.ipv6;
    if (!to) to = p.address();
  }
}

void set_session(const ObservedPeer& have, PeerStatus& s) {
  s.last_handshake = have.stats.last_handshake;
  s.received = have.stats.rx_bytes;
  s.sent = have.stats.tx_bytes;
  if (s.state != PeerState::connected) return;
  s.connection = ConnectionType::p2p;
  if (have.peer.endpoint) s.ice_candidate_endpoint.remote = have.peer.endpoint->text();
}

void set_entry(const PeerView& peer, PeerStatus& s) {
  s.fqdn = peer.fqdn_text();
  s.public_key = peer.key;
  set_addresses(peer, s);
}

// Where in details each peer of a list goes.
struct Slots {
  std::vector<uint32_t> remote{}, offline{};
};

// By IPv4 address; those without one first, as the map has them among equals.
Slots slots_of(const NetworkMap& map) {
  struct Item {
    uint64_t address = 0;  // one more than the number; 0: none
    uint32_t index = 0;
  };
  const auto remotes = static_cast<uint32_t>(map.remote_peers.size());
  std::vector<Item> items;
  items.reserve(remotes + map.offline_peers.size());
  const auto add = [&](const PeerView& p) {
    Item item{.index = static_cast<uint32_t>(items.size())};
    for (const auto& a : p.allowed_ips) {
      if (!a.is_host() || !a.address().is_v4()) continue;
      for (const auto byte : a.address().bytes()) item.address = item.address << 8 | byte;
      ++item.address;
      break;
    }
    items.push_back(item);
  };
  for (const auto& p : map.remote_peers) add(p);
  for (const auto& p : map.offline_peers) add(p);
  std::ranges::stable_sort(items, {}, &Item::address);
  Slots slots{.remote = std::vector<uint32_t>(remotes),
              .offline = std::vector<uint32_t>(items.size() - remotes)};
  for (uint32_t i = 0; i < items.size(); ++i)
    if (const auto from = items[i].index; from < remotes)
      slots.remote[from] = i;
    else
      slots.offline[from - remotes] = i;
  return slots;
}

void add_peers(const ReportInput& in, WallTime now, PeersStatus& peers) {
  const auto& map = *in.map;
  const auto slots = slots_of(map);
  peers.details.resize(slots.remote.size() + slots.offline.size());
  peers.total = peers.details.size();
  // In order of the keys, as device and history are.
  auto device =
      in.up && in.device ? std::span(in.device->peers) : std::span<const ObservedPeer>();
  for (const auto i : map.remote_peers.by_key()) {
    const auto peer = map.remote_peers[i];
    auto& s = peers.details[slots.remote[i]];
    set_entry(peer, s);
    while (!device.empty() && device.front().peer.public_key < peer.key)
      device = device.subspan(1);
    const bool there = !device.empty() && device.front().peer.public_key == peer.key;
    const ObservedPeer* have = there ? &device.front() : nullptr;
    s.state = peer_state(have, now);
    peers.connected += s.state == PeerState::connected ? 1 : 0;
    if (in.history)
      if (const auto* seen = in.history->find(peer.key)) s.last_update = seen->since;
    if (have) set_session(*have, s);
  }
  for (size_t i = 0; i < slots.offline.size(); ++i)
    set_entry(map.offline_peers[i], peers.details[slots.offline[i]]);
}

std::string name_of(const NetworkMap& map, const Key& key) {
  for (const auto& p : map.remote_peers)
    if (p.key == key && !p.fqdn_text().empty()) return p.fqdn_text();
  return key.text();
}

void add_groups(const ReportInput& in, RoutingStatus& routing) {
  for (const auto& g : in.client_routes->groups) {
    RouteGroupStatus s{.id = g.id,
                       .network_id = g.network_id,
                       .network = g.network.text(),
                       .selected = g.selected,
                       .connected = g.connected,
                       .candidates = g.candidates,
                       .reason = g.reason};
    // Its route is one of the map it was chosen from, which may have been replaced.
    const auto owner = in.client_routes->memory.owners.find(g.network);
    if (g.route && owner != in.client_routes->memory.owners.end())
      s.peer = name_of(*in.map, owner->second);
    routing.groups.push_back(std::move(s));
  }
}

void add_networks(const ReportInput& in, PeersStatus& peers) {
  if (!in.client_routes) return;
  const auto networks = networks_by_peer(*in.client_routes);
  for (auto& p : peers.details)
    if (const auto at = networks.find(p.public_key); at != networks.end())
      for (const auto& n : at->second) p.networks.push_back(n.text());
}

// The groups that the resolver has are those of the map, in its order; the map's may be
// more: one without servers asks nobody.
void add_nameservers(const ReportInput& in, StatusReport& report) {
  auto asked = std::span(in.dns.groups);
  for (const auto& g : in.map->dns.groups) {
    NameserverStatus s;
    for (const auto& server : g.servers)
      s.servers.push_back(Endpoint{server.ip, server.port}.text());
    for (const auto& d : g.domains) s.domains.push_back(d.text());
    if (!in.map->dns.service_enable) {
      s.error = "the map switches DNS off";
    } else if (s.servers.empty()) {
      s.error = "it has no servers";
    } else if (asked.empty() || asked.front().original) {
      s.error = "no resolver asks it";
    } else {
      // As NetBird: until something speaks against it, it is available.
      s.enabled = asked.front().health != "unhealthy";
      s.error = asked.front().reason;
      asked = asked.subspan(1);
    }
    report.nameservers.push_back(std::move(s));
  }
}

std::string join(const std::string& a, const std::string& b) {
  return a.empty() ? b : b.empty() ? a : a + "; " + b;
}

}  // namespace

std::string repair_text(size_t operations, std::string_view transcript) {
  std::string first(transcript.substr(0, transcript.find('\n')));
  if (operations > 1) first = fmt::format("{} operations, first: {}", operations, first);
  return first;
}

std::string left_over_text(const std::vector<std::string>& left) {
  return fmt::format("disconnected, but left on this host and to be tried again: {}",
                     fmt::join(left, "; "));
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
  r.routing = in.routing;
  for (const auto& refusal : in.refused)
    r.routing.refused.push_back({refusal.what, refusal.reason});
  r.map = in.map_status;
  r.degraded = in.degraded;
  r.events = in.events;
  if (!in.map) return r;
  r.map.serial = in.map->serial;
  r.map.peers = in.map->remote_peers.size();
  r.map.offline_peers = in.map->offline_peers.size();
  r.fqdn = in.map->peer_config.fqdn.text();
  if (in.up) {
    r.ip = in.map->peer_config.address;
    if (!in.config->disable_ipv6 && in.ipv6) r.ipv6 = in.map->peer_config.address_v6;
  }
  add_peers(in, now, r.peers);
  if (in.up) add_networks(in, r.peers);
  add_nameservers(in, r);
  if (in.map->firewall_rules.empty())
    r.datapath.reason =
        join(r.datapath.reason, "the map has no rules: default deny once it is");
  r.networks = in.served;
  r.forwarding_rules = in.forwarded;
  if (in.up && in.client_routes) add_groups(in, r.routing);
  return r;
}

}  // namespace wigeon
