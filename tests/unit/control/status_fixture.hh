// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <array>

#include "agent/control/status.hh"
#include "agent/control/time_text.hh"

namespace wigeon {

inline Key key_of(uint8_t byte) {
  std::array<uint8_t, kKeyBytes> bytes{};
  bytes.fill(byte);
  return *Key::from_bytes(bytes);
}

// The state NetBird's own output is known for.
inline StatusReport two_peers() {
  using std::chrono::milliseconds;
  return {
      .peers = {.total = 2,
                .connected = 2,
                .details = {{.fqdn = "peer-1.awesome-domain.com",
                             .ip = *Address::parse("192.168.178.101"),
                             .ipv6 = *Address::parse("fd00::1"),
                             .public_key = key_of(1),
                             .state = PeerState::connected,
                             .last_update = *parse_rfc3339("2001-01-01T01:01:01Z"),
                             .connection = ConnectionType::p2p,
                             .last_handshake = *parse_rfc3339("2001-01-01T01:01:02Z"),
                             .received = 200,
                             .sent = 100,
                             .latency = milliseconds(10),
                             .networks = {"10.1.0.0/24"}},
                            {.fqdn = "peer-2.awesome-domain.com",
                             .ip = *Address::parse("192.168.178.102"),
                             .public_key = key_of(2),
                             .state = PeerState::connected,
                             .last_update = *parse_rfc3339("2002-02-02T02:02:02Z"),
                             .connection = ConnectionType::relayed,
                             .ice_candidate_type = {"relay", "prflx"},
                             .ice_candidate_endpoint = {"10.0.0.1:10001",
                                                        "10.0.10.1:10002"},
                             .last_handshake = *parse_rfc3339("2002-02-02T02:02:03Z"),
                             .received = 2000,
                             .sent = 1000,
                             .latency = milliseconds(10)}}},
      .cli_version = "development",
      .daemon_version = "0.14.1",
      .daemon_status = DaemonStatus::connected,
      .management = {.url = "my-awesome-management.com:443", .connected = true},
      .signal = {.url = "my-awesome-signal.com:443", .connected = true},
      .relays = {.total = 2,
                 .available = 1,
                 .details = {{.uri = "stun:my-awesome-stun.com:3478", .available = true},
                             {.uri = "turns:my-awesome-turn.com:443?transport=tcp",
                              .error = "context: deadline exceeded"}}},
      .ip = *InterfaceAddress::parse("192.168.178.100/16"),
      .ipv6 = *InterfaceAddress::parse("fd00::100/64"),
      .public_key = key_of(3),
      .kernel_interface = true,
      .wireguard_port = 51820,
      .fqdn = "some-localhost.awesome-domain.com",
      .networks = {"10.10.0.0/24"},
      .nameservers = {{.servers = {"8.8.8.8:53"}, .enabled = true},
                      {.servers = {"1.1.1.1:53", "2.2.2.2:53"},
                       .domains = {"example.com", "example.net"},
                       .error = "timeout"}},
  };
}

// Something in every field.
inline StatusReport everything() {
  StatusReport r = two_peers();
  r.peers.details.push_back({.fqdn = "peer-3.awesome-domain.com",
                             .ip = *Address::parse("192.168.178.9"),
                             .public_key = key_of(4),
                             .state = PeerState::connecting,
                             .relay_address = "rels://relay.example:443",
                             .quantum_resistance = true});
  r.peers.total = 3;
  r.relays.details[0].transport = "quic";
  r.quantum_resistance = r.quantum_resistance_permissive = true;
  r.forwarding_rules = 3;
  r.events = {{.id = "e1",
               .severity = "WARNING",
               .category = "DNS",
               .message = "no answer",
               .user_message = "No answer.",
               .timestamp = *parse_rfc3339("2001-01-01T01:01:00.5Z"),
               .metadata = {{"server", "192.0.2.1"}, {"zone", "."}}}};
  r.lazy_connection = true;
  r.profile = "default";
  r.ssh_server = {
      .enabled = true,
      .sessions = {
          {.username = "root",
           .remote_address = "100.64.0.2:1",
           .command = "ls",
           .jwt_username = "ann",
           .port_forwards = {"8080:80"}},
          {.username = "bob", .remote_address = "100.64.0.3:2", .command = "top"}}};
  r.session_expires_at = *parse_rfc3339("2030-01-01T00:00:00Z");
  r.dns = {
      .manager = "systemd",
      .manager_reason = "resolved=up stub=yes",
      .applied = true,
      .apply_failure = "the bus is gone",
      .probed_at = *parse_rfc3339("2001-01-01T00:00:02Z"),
      .probe_failure = "no reply",
      .redirect = "bind",
      .redirect_reason = "asked for",
      .redirect_attached = "tcx on lo",
      .redirect_program = 17,
      .redirect_tag = "0123456789abcdef",
      .redirect_counters = {{"redirected UDP", 7}},
      .redirect_refused = {{"sk_lookup", "EPERM"}},
      .sandbox = "uid 990, 45 system calls",
      .listen = {"192.168.178.100:53", "[fd00::100]:53"},
      .listeners = {{"udp", "192.168.178.100:53", 5, 4, 1}},
      .zones = 2,
      .records = 6,
      .domains = {"awesome-domain.com"},
      .zone_list = {{"awesome-domain.com", 6, false, false},
                    {"168.192.in-addr.arpa", 1, true, true}},
      .groups = {{.domains = {"corp.example"},
                  .primary = true,
                  .health = "unhealthy",
                  .reason = "no reply from 1.1.1.1:53",
                  .servers = {{.server = "1.1.1.1:53",
                               .sent = 3,
                               .replies = 1,
                               .failures = 2,
                               .latency = std::chrono::microseconds(1500),
                               .last_reply = *parse_rfc3339("2002-02-02T02:05:32Z"),
                               .last_failure = *parse_rfc3339("2002-02-02T02:05:42Z")}}},
                 {.original = true, .health = "unknown"}},
      .cache = {1, 2048, 3, 4, 5, 6},
      .queries = {{"answered", 12}, {"refused", 1}},
      .upstream = {{"forgedReplies", 11}, {"total", 14}}};
  r.datapath = {
      .interface = "wt0", .reason = "no filter yet", .counters = {{"passed", 5}}};
  r.routing = {.refused = {{"10.0.0.0/8", "overlaps eth0"}},
               .routes = 4,
               .rules = 2,
               .operations = 7,
               .repairs = 2,
               .last_repair = "route add 10.1.0.0/16 dev wt0",
               .groups = {{.id = "office|10.1.0.0/16",
                           .network_id = "office",
                           .network = "10.1.0.0/16",
                           .selected = true,
                           .peer = "peer-1.awesome-domain.com",
                           .connected = true,
                           .candidates = 2,
                           .reason = "the best routing peer"},
                          {.id = "lab|10.2.0.0/16",
                           .network_id = "lab",
                           .network = "10.2.0.0/16",
                           .candidates = 1,
                           .reason = "not selected"}},
               .sysctls = {{"net.ipv4.ip_forward", "1", "0"}},
               .nftables = {.table = "inet wigeon", .in_force = true, .rules = 4},
               .foreign = {"inet firewalld accepts wt0 now"}};
  r.map = {.source = "file:///etc/wigeon/network_map.json",
           .serial = 5,
           .loaded_at = *parse_rfc3339("2001-01-01T00:00:00Z"),
           .applied_at = *parse_rfc3339("2001-01-01T00:00:01Z"),
           .error = "/Routes/0: bad",
           .stale = true,
           .peers = 3,
           .offline_peers = 1};
  r.degraded = {{"routing", "rule lost", Severity::error}, {"dns", "slow"}};
  return r;
}

}  // namespace wigeon
