// SPDX-License-Identifier: GPL-2.0-or-later
// The network map: what this host may see, in NetBird's words (management.proto). Decoded
// values only; whether they make sense together, and on this host, is validate.hh's.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/key.hh"
#include "agent/model/name.hh"
#include "agent/model/peer_list.hh"
#include "agent/model/problem.hh"

namespace wigeon {

enum class Direction : uint8_t { in, out };
enum class Action : uint8_t { accept, drop };
enum class Protocol : uint8_t { unknown, all, tcp, udp, icmp, custom, netbird_ssh };

// 0-0: any port.
struct PortRange {
  uint16_t first = 0, last = 0;

  [[nodiscard]] bool any() const { return last == 0; }
  [[nodiscard]] std::string text() const;  // "80", "8000-8010"; empty: any
  friend bool operator==(const PortRange&, const PortRange&) = default;
};

// NetBird's PortInfo, of which one member is used.
struct PortInfo {
  uint16_t port = 0;
  struct Range {
    uint16_t start = 0, end = 0;
  } range{};

  [[nodiscard]] PortRange ports() const {
    return port != 0 ? PortRange{port, port} : PortRange{range.start, range.end};
  }
};

struct PeerConfig {
  std::optional<InterfaceAddress> address{};
  std::optional<InterfaceAddress> address_v6{};
  DomainName fqdn{};
  uint16_t mtu = 0;  // 0: the map does not say
  bool routing_peer_dns_resolution = false;

  // The overlay: networks of the own addresses.
  [[nodiscard]] std::vector<Prefix> networks() const;
};

struct MapRoute {
  std::string id{};
  std::optional<Prefix> network{};  // none: the domains say
  Key peer{};                       // routing peer; our own key: we are it
  uint32_t metric = 9999;           // lower is better
  bool masquerade = false;
  std::string net_id{};  // what the user calls it; the same for all its routing peers
  std::vector<DomainName> domains{};
  bool keep_route = false;
  bool skip_auto_apply = false;
};

struct NameServer {
  Address ip{};
  uint8_t type = 1;  // 1: UDP, the only one there is
  uint16_t port = 53;
};

struct NameServerGroup {
  std::vector<NameServer> servers{};
  bool primary = false;  // answers what no domain matches
  std::vector<DomainName> domains{};
  bool search_domains_enabled = false;
};

struct MapRecord {
  DomainName name{};
  uint16_t type = 0;  // RR TYPE
  uint32_t ttl = 0;
  std::string rdata{};  // presentation format
};

struct CustomZone {
  DomainName domain{};
  std::vector<MapRecord> records{};
  bool search_domain_disabled = false;
  bool non_authoritative = false;
};

struct DnsConfig {
  bool service_enable = false;
  std::vector<NameServerGroup> groups{};
  std::vector<CustomZone> zones{};
};

struct FirewallRule {
  std::optional<Address> peer_ip{};  // unspecified: any; superseded by source_prefixes
  std::vector<Prefix> source_prefixes{};
  Direction direction = Direction::in;
  Action action = Action::accept;
  Protocol protocol = Protocol::unknown;
  uint16_t custom_protocol = 0;
  PortInfo port_info{};
  uint16_t port = 0;  // superseded by port_info
  std::string policy_id{};

  [[nodiscard]] std::vector<Prefix> sources() const;
  [[nodiscard]] PortRange ports() const {
    return port_info.ports().any() ? PortRange{port, port} : port_info.ports();
  }
};

struct RouteFirewallRule {
  std::vector<Prefix> sources{};
  Action action = Action::accept;
  std::optional<Prefix> destination{};
  Protocol protocol = Protocol::unknown;
  uint16_t custom_protocol = 0;
  PortInfo port_info{};
  bool dynamic = false;
  std::vector<DomainName> domains{};
  std::string policy_id{};
  std::string route_id{};
};

struct ForwardingRule {
  Protocol protocol = Protocol::unknown;
  PortInfo destination_port{};
  std::optional<Address> translated_address{};
  PortInfo translated_port{};
};

struct NetworkMap {
  uint64_t serial = 0;
  PeerConfig peer_config{};
  PeerList remote_peers{};
  PeerList offline_peers{};  // for names and status only
  std::vector<MapRoute> routes{};
  DnsConfig dns{};
  std::vector<FirewallRule> firewall_rules{};
  std::vector<RouteFirewallRule> route_firewall_rules{};
  std::vector<ForwardingRule> forwarding_rules{};
  // An empty list is meant, and not just left out.
  bool remote_peers_empty = false;
  bool firewall_rules_empty = false;
  bool route_firewall_rules_empty = false;
  // Where the map is in its document: "", or "/NetworkMap" in a SyncResponse.
  std::string at{};
};

// bytes: a NetworkMap as protojson, by original or lowerCamelCase field names, or a
// SyncResponse that holds one. Unknown fields are ignored.
std::expected<NetworkMap, Problems> decode_map(std::string_view bytes,
                                               std::string_view file);

}  // namespace wigeon
