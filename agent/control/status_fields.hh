// SPDX-License-Identifier: GPL-2.0-or-later
// The names and the order of the keys of a StatusReport, written once for the encoder and
// the decoder. A visitor is called as
//   v(key, field)           always there
//   v.unless_empty(key, f)  left out when it holds nothing
//   v.or_null(key, list)    null when empty
#pragma once

#include "agent/control/status.hh"

namespace wigeon::status_fields {

template <class T>
bool empty(const std::optional<T>& o) {
  return !o;
}
inline bool empty(WallTime t) { return t == kNever; }
bool empty(const auto& container) { return container.empty(); }

// S is T or const T.
template <class S, class T>
concept Is = std::same_as<std::remove_const_t<S>, T>;

void describe(auto& v, Is<LocalRemote> auto& s) {
  v("local", s.local);
  v("remote", s.remote);
}

void describe(auto& v, Is<PeerStatus> auto& s) {
  v("fqdn", s.fqdn);
  v("netbirdIp", s.ip);
  v.unless_empty("netbirdIpv6", s.ipv6);
  v("publicKey", s.public_key);
  v("status", s.state);
  v("lastStatusUpdate", s.last_update);
  v("connectionType", s.connection);
  v("iceCandidateType", s.ice_candidate_type);
  v("iceCandidateEndpoint", s.ice_candidate_endpoint);
  v("relayAddress", s.relay_address);
  v("lastWireguardHandshake", s.last_handshake);
  v("transferReceived", s.received);
  v("transferSent", s.sent);
  v("latency", s.latency);
  v("quantumResistance", s.quantum_resistance);
  v.or_null("networks", s.networks);
}

void describe(auto& v, Is<PeersStatus> auto& s) {
  v("total", s.total);
  v("connected", s.connected);
  v("details", s.details);
}

void describe(auto& v, Is<ServiceStatus> auto& s) {
  v("url", s.url);
  v("connected", s.connected);
  v("error", s.error);
}

void describe(auto& v, Is<RelayStatus> auto& s) {
  v("uri", s.uri);
  v("available", s.available);
  v("error", s.error);
  v.unless_empty("transport", s.transport);
}

void describe(auto& v, Is<RelaysStatus> auto& s) {
  v("total", s.total);
  v("available", s.available);
  v("details", s.details);
}

void describe(auto& v, Is<NameserverStatus> auto& s) {
  v("servers", s.servers);
  v.or_null("domains", s.domains);
  v("enabled", s.enabled);
  v("error", s.error);
}

void describe(auto& v, Is<EventStatus> auto& s) {
  v("id", s.id);
  v("severity", s.severity);
  v("category", s.category);
  v("message", s.message);
  v("userMessage", s.user_message);
  v("timestamp", s.timestamp);
  v("metadata", s.metadata);
}

void describe(auto& v, Is<SshSession> auto& s) {
  v("username", s.username);
  v("remoteAddress", s.remote_address);
  v("command", s.command);
  v.unless_empty("jwtUsername", s.jwt_username);
  v.unless_empty("portForwards", s.port_forwards);
}

void describe(auto& v, Is<SshServerStatus> auto& s) {
  v("enabled", s.enabled);
  v("sessions", s.sessions);
}

void describe(auto& v, Is<DnsListenerStatus> auto& s) {
  v("transport", s.transport);
  v("endpoint", s.endpoint);
  v("queries", s.queries);
  v("replies", s.replies);
  v("refused", s.refused);
}

void describe(auto& v, Is<DnsServerStatus> auto& s) {
  v("server", s.server);
  v("sent", s.sent);
  v("replies", s.replies);
  v("failures", s.failures);
  v("latency", s.latency);
  v("lastReply", s.last_reply);
  v("lastFailure", s.last_failure);
}

void describe(auto& v, Is<DnsGroupStatus> auto& s) {
  v("domains", s.domains);
  v("primary", s.primary);
  v("original", s.original);
  v("health", s.health);
  v("reason", s.reason);
  v("servers", s.servers);
}

void describe(auto& v, Is<DnsCacheStatus> auto& s) {
  v("entries", s.entries);
  v("bytes", s.bytes);
  v("hits", s.hits);
  v("misses", s.misses);
  v("evicted", s.evicted);
  v("stale", s.stale);
}

void describe(auto& v, Is<DnsZoneStatus> auto& s) {
  v("domain", s.domain);
  v("records", s.records);
  v("authoritative", s.authoritative);
  v("generated", s.generated);
}

void describe(auto& v, Is<RefusedPart> auto& s) {
  v("what", s.what);
  v("reason", s.reason);
}

void describe(auto& v, Is<DnsStatus> auto& s) {
  v("manager", s.manager);
  v("managerReason", s.manager_reason);
  v("applied", s.applied);
  v("applyFailure", s.apply_failure);
  v("probedAt", s.probed_at);
  v("probeFailure", s.probe_failure);
  v("redirect", s.redirect);
  v("redirectReason", s.redirect_reason);
  v("redirectAttached", s.redirect_attached);
  v("redirectProgram", s.redirect_program);
  v("redirectTag", s.redirect_tag);
  v("redirectCounters", s.redirect_counters);
  v("redirectRefused", s.redirect_refused);
  v("sandbox", s.sandbox);
  v("listen", s.listen);
  v("listeners", s.listeners);
  v("zones", s.zones);
  v("records", s.records);
  v("domains", s.domains);
  v("zoneList", s.zone_list);
  v("groups", s.groups);
  v("cache", s.cache);
  v("queries", s.queries);
  v("upstream", s.upstream);
}

void describe(auto& v, Is<DatapathStatus> auto& s) {
  v("interface", s.interface);
  v("backend", s.backend);
  v("filtered", s.filtered);
  v("reason", s.reason);
  v("counters", s.counters);
}

void describe(auto& v, Is<RouteGroupStatus> auto& s) {
  v("id", s.id);
  v("networkId", s.network_id);
  v("network", s.network);
  v("selected", s.selected);
  v("peer", s.peer);
  v("connected", s.connected);
  v("candidates", s.candidates);
  v("reason", s.reason);
}

void describe(auto& v, Is<SysctlStatus> auto& s) {
  v("name", s.name);
  v("value", s.value);
  v("before", s.before);
}

void describe(auto& v, Is<NftablesStatus> auto& s) {
  v("table", s.table);
  v("inForce", s.in_force);
  v("rules", s.rules);
  v("reason", s.reason);
}

void describe(auto& v, Is<RoutingStatus> auto& s) {
  v("refused", s.refused);
  v("routes", s.routes);
  v("rules", s.rules);
  v("operations", s.operations);
  v("repairs", s.repairs);
  v("lastRepair", s.last_repair);
  v("groups", s.groups);
  v("sysctls", s.sysctls);
  v("nftables", s.nftables);
  v("foreignFirewall", s.foreign);
}

void describe(auto& v, Is<MapStatus> auto& s) {
  v("source", s.source);
  v("serial", s.serial);
  v("loadedAt", s.loaded_at);
  v("appliedAt", s.applied_at);
  v("error", s.error);
  v("stale", s.stale);
  v("peers", s.peers);
  v("offlinePeers", s.offline_peers);
}

void describe(auto& v, Is<Degraded> auto& s) {
  v("component", s.component);
  v("reason", s.reason);
  v("severity", s.severity);
}

void describe(auto& v, Is<StatusReport> auto& s) {
  v("peers", s.peers);
  v("cliVersion", s.cli_version);
  v("daemonVersion", s.daemon_version);
  v("daemonStatus", s.daemon_status);
  v("management", s.management);
  v("signal", s.signal);
  v("relays", s.relays);
  v("netbirdIp", s.ip);
  v.unless_empty("netbirdIpv6", s.ipv6);
  v("publicKey", s.public_key);
  v("usesKernelInterface", s.kernel_interface);
  v("wireguardPort", s.wireguard_port);
  v("fqdn", s.fqdn);
  v("quantumResistance", s.quantum_resistance);
  v("quantumResistancePermissive", s.quantum_resistance_permissive);
  v.or_null("networks", s.networks);
  v("forwardingRules", s.forwarding_rules);
  v("dnsServers", s.nameservers);
  v("events", s.events);
  v("lazyConnectionEnabled", s.lazy_connection);
  v("profileName", s.profile);
  v("sshServer", s.ssh_server);
  v.unless_empty("sessionExpiresAt", s.session_expires_at);
  v("dns", s.dns);
  v("datapath", s.datapath);
  v("routing", s.routing);
  v("map", s.map);
  v("degraded", s.degraded);
}

}  // namespace wigeon::status_fields
