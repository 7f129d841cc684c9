// SPDX-License-Identifier: GPL-2.0-or-later
// What `wigeon status` shows. The first part has NetBird's fields under NetBird's JSON
// names, so that scripts written for it work; the blocks after ssh_server are our own.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/key.hh"
#include "agent/base/result.hh"

namespace wigeon {

using WallTime = std::chrono::system_clock::time_point;
inline constexpr WallTime
    kNever{};  // "0001-01-01T00:00:00Z" on the wire, as Go writes it

enum class PeerState {
  idle,
  connecting,
  connected
};                                                 // "Idle", "Connecting", "Connected"
enum class ConnectionType { none, p2p, relayed };  // "-", "P2P", "Relayed"
enum class DaemonStatus {
  idle,
  connecting,
  connected,  // a network map is in force
  needs_login,
  login_failed,
  session_expired,
};
enum class Severity { warning, error };  // error: `status --check ready` fails

struct LocalRemote {
  std::string local{};
  std::string remote{};
};

// transfer, handshake and ICE fields are empty unless the peer is connected.
struct PeerStatus {
  std::string fqdn{};
  std::optional<Address> ip{};
  std::optional<Address> ipv6{};
  Key public_key{};
  PeerState state = PeerState::idle;
  WallTime last_update = kNever;
  ConnectionType connection = ConnectionType::none;
  LocalRemote ice_candidate_type{};
  LocalRemote ice_candidate_endpoint{};
  std::string relay_address{};
  WallTime last_handshake = kNever;
  uint64_t received = 0;
  uint64_t sent = 0;
  std::chrono::nanoseconds latency{};
  bool quantum_resistance = false;
  std::vector<std::string> networks{};
};

struct PeersStatus {
  uint64_t total = 0;
  uint64_t connected = 0;
  std::vector<PeerStatus> details{};
};

struct ServiceStatus {  // management and signal
  std::string url{};
  bool connected = false;
  std::string error{};
};

struct RelayStatus {
  std::string uri{};
  bool available = false;
  std::string error{};
  std::string transport{};
};

struct RelaysStatus {
  uint64_t total = 0;
  uint64_t available = 0;
  std::vector<RelayStatus> details{};
};

struct NameserverStatus {
  std::vector<std::string> servers{};
  std::vector<std::string> domains{};  // empty: the root
  bool enabled = false;
  std::string error{};
};

struct EventStatus {
  std::string id{};
  std::string severity{};  // "INFO", "WARNING", "ERROR", "CRITICAL"
  std::string category{};  // "NETWORK", "DNS", "SYSTEM", …
  std::string message{};
  std::string user_message{};
  WallTime timestamp = kNever;
  std::map<std::string, std::string> metadata{};
};

struct SshSession {
  std::string username{};
  std::string remote_address{};
  std::string command{};
  std::string jwt_username{};
  std::vector<std::string> port_forwards{};
};

struct SshServerStatus {
  bool enabled = false;
  std::vector<SshSession> sessions{};
};

struct DnsListenerStatus {
  std::string transport{};  // "udp", "tcp"
  std::string endpoint{};
  uint64_t queries = 0;
  uint64_t replies = 0;
  uint64_t refused = 0;  // the source may not ask: no reply
};

struct DnsServerStatus {
  std::string server{};
  uint64_t sent = 0;
  uint64_t replies = 0;
  uint64_t failures = 0;               // no reply, unreachable
  std::chrono::nanoseconds latency{};  // of replies, smoothed; 0: none yet
  WallTime last_reply = kNever;
  WallTime last_failure = kNever;
};

// A nameserver group of the map, or the host's own servers.
struct DnsGroupStatus {
  std::vector<std::string> domains{};
  bool primary = false;
  bool original = false;
  std::string health{};  // "healthy", "unhealthy", "unknown": not asked of late
  std::string reason{};  // why it is unhealthy
  std::vector<DnsServerStatus> servers{};
};

struct DnsCacheStatus {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t evicted = 0;
  uint64_t stale = 0;
};

struct DnsZoneStatus {
  std::string domain{};
  uint64_t records = 0;
  bool authoritative = true;  // a name that it lacks is asked nowhere
  bool generated = false;     // a reverse zone, made of the others' addresses
};

struct RefusedPart {
  std::string what{};
  std::string reason{};
};

struct DnsStatus {
  std::string manager{};  // who owns the host's resolver settings; empty: not looked at
  std::string manager_reason{};
  bool applied = false;         // the host was told of our resolver
  std::string apply_failure{};  // why not
  WallTime probed_at = kNever;  // our resolver was last asked as the host asks
  std::string probe_failure{};  // what came of that; empty: it answered
  std::string redirect{};  // how queries for port 53 get here; empty: no resolver runs
  std::string redirect_reason{};
  std::string redirect_attached{};  // "tcx on lo", "table inet wigeon_dns"
  uint64_t redirect_program = 0;    // id of its BPF program; 0: none
  std::string redirect_tag{};       // and its digest, as the kernel says
  std::map<std::string, uint64_t> redirect_counters{};  // by reason
  std::vector<RefusedPart> redirect_refused{};          // higher rungs, and why not
  std::string sandbox{};                                // how the resolver is confined
  std::vector<std::string> listen{};
  std::vector<DnsListenerStatus> listeners{};
  uint64_t zones = 0;
  uint64_t records = 0;
  std::vector<std::string> domains{};
  std::vector<DnsZoneStatus> zone_list{};  // the first kMaxZonesListed
  std::vector<DnsGroupStatus> groups{};  // in the map's order, the original servers last
  DnsCacheStatus cache{};
  std::map<std::string, uint64_t> queries{};   // of clients
  std::map<std::string, uint64_t> upstream{};  // our own, to upstream servers
};
inline constexpr size_t kMaxZonesListed = 500;

struct DatapathStatus {
  std::string interface {};
  std::string backend{};  // empty: none
  bool filtered = false;  // false: every packet of every peer passes
  std::string reason{};
  std::map<std::string, uint64_t> counters{};
};

// One network behind routing peers: "NetID|Network".
struct RouteGroupStatus {
  std::string id{};
  std::string network_id{};
  std::string network{};
  bool selected = false;
  std::string peer{};  // name or key; empty: not routed
  bool connected = false;
  uint64_t candidates = 0;
  std::string reason{};  // why that peer, or why none
};

// A sysctl that is as we set it, and what it goes back to.
struct SysctlStatus {
  std::string name{};  // "net.ipv4.ip_forward"
  std::string value{};
  std::string before{};
};

struct NftablesStatus {
  std::string table{};  // "inet wigeon"; empty: none is needed
  bool in_force = false;
  uint64_t rules = 0;
  std::string reason{};  // why it is not, or not as it should be
};

struct RoutingStatus {
  std::vector<RefusedPart> refused{};
  uint64_t routes = 0;
  uint64_t rules = 0;
  uint64_t operations = 0;  // that changed the host, since the daemon's start
  uint64_t repairs = 0;     // of what somebody else changed, since then
  std::string last_repair{};
  std::vector<RouteGroupStatus> groups{};
  std::vector<SysctlStatus> sysctls{};
  NftablesStatus nftables{};
  std::vector<std::string> foreign{};  // a sentence for each edit of others' firewalls
};

struct MapStatus {
  std::string source{};  // "file:///etc/wigeon/network_map.json"; empty: no map yet
  uint64_t serial = 0;
  WallTime loaded_at = kNever;
  WallTime applied_at = kNever;  // first time a map was wholly in force since the start
  std::string error{};  // why the newest one was refused; the last good one stays
  bool stale = false;   // from the cache: the source cannot be read
  uint64_t peers = 0;
  uint64_t offline_peers = 0;
};

struct Degraded {
  std::string component{};
  std::string reason{};
  Severity severity = Severity::warning;
};

struct StatusReport {
  PeersStatus peers{};
  std::string cli_version{};
  std::string daemon_version{};
  DaemonStatus daemon_status = DaemonStatus::idle;
  ServiceStatus management{};
  ServiceStatus signal{};
  RelaysStatus relays{};
  std::optional<InterfaceAddress> ip{};
  std::optional<InterfaceAddress> ipv6{};
  Key public_key{};
  bool kernel_interface = false;
  uint16_t wireguard_port = 0;
  std::string fqdn{};
  bool quantum_resistance = false;
  bool quantum_resistance_permissive = false;
  std::vector<std::string> networks{};
  uint64_t forwarding_rules = 0;
  std::vector<NameserverStatus> nameservers{};
  std::vector<EventStatus> events{};
  bool lazy_connection = false;
  std::string profile{};
  SshServerStatus ssh_server{};
  WallTime session_expires_at = kNever;

  DnsStatus dns{};
  DatapathStatus datapath{};
  RoutingStatus routing{};
  MapStatus map{};
  std::vector<Degraded> degraded{};
};

std::string_view text(PeerState s);
std::string_view text(ConnectionType t);
std::string_view text(DaemonStatus s);
std::string_view text(Severity s);

// Compact JSON on one line. Lists that Go leaves nil are null: networks, domains.
std::string to_json(const StatusReport& report);
std::string to_json(const DnsStatus& dns);  // what the report has under "dns"
// The same keys, 4 spaces a level, latency as "10ms", empty lists as [].
std::string to_yaml(const StatusReport& report);
// Missing keys keep their defaults and unknown ones are skipped, so that a CLI and a
// daemon of neighbouring versions understand each other. The error begins with the JSON
// pointer.
Result<StatusReport> status_from_json(std::string_view json);

}  // namespace wigeon
