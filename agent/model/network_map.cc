// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/network_map.hh"

#include <algorithm>
#include <array>

#include "agent/model/limits.hh"
#include "agent/model/shape.hh"

namespace wigeon {

using json::field;
using json::Scalar;
using json::Shape;

// read() and shape_of() of our types are found by argument-dependent lookup, so they are
// static and not in an unnamed namespace.

static Result<void> read(Direction& out, const Scalar& s) {
  static constexpr std::array<std::string_view, 2> names{"IN", "OUT"};
  return json::read_enum(out, s, names);
}

static Result<void> read(Action& out, const Scalar& s) {
  static constexpr std::array<std::string_view, 2> names{"ACCEPT", "DROP"};
  return json::read_enum(out, s, names);
}

static Result<void> read(Protocol& out, const Scalar& s) {
  static constexpr std::array<std::string_view, 7> names{
      "UNKNOWN", "ALL", "TCP", "UDP", "ICMP", "CUSTOM", "NETBIRD_SSH"};
  return json::read_enum(out, s, names);
}

namespace {

std::span<const uint8_t> bytes_of(const std::string& s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}

// The address and one byte of prefix length.
Result<InterfaceAddress> from_wire(const Scalar& s) {
  const auto wire = TRY(json::as_bytes(s));
  const auto bytes = bytes_of(wire);
  if (bytes.size() != 5 && bytes.size() != 17)
    return fail(EINVAL,
                "a prefix has 5 or 17 bytes, not " + std::to_string(bytes.size()));
  const auto address = TRY(Address::from_bytes(bytes.first(bytes.size() - 1)));
  (void)TRY(Prefix::make(address, bytes.back()));
  return InterfaceAddress{address, bytes.back()};
}

Result<void> read_own_v4(std::optional<InterfaceAddress>& out, const Scalar& s) {
  const auto text = TRY(json::as_text(s));
  if (text.empty()) return {};
  const auto a = TRY(InterfaceAddress::parse(text));
  if (!a.address.is_v4()) return fail(EINVAL, "must be an IPv4 address");
  out = a;
  return {};
}

Result<void> read_own_v6(std::optional<InterfaceAddress>& out, const Scalar& s) {
  const auto text = TRY(json::as_text(s));
  if (text.empty()) return {};
  // No base64 has a colon.
  InterfaceAddress a;
  if (text.find(':') != text.npos)
    a = TRY(InterfaceAddress::parse(text));
  else
    a = TRY(from_wire(s));
  if (a.address.is_v4()) return fail(EINVAL, "must be an IPv6 address");
  out = a;
  return {};
}

Result<void> read_mtu(uint16_t& out, const Scalar& s) {
  const auto n = json::as_number(s, 65535);
  if (!n || (*n != 0 && *n < 1280)) return fail(ERANGE, "must be 1280-65535");
  out = static_cast<uint16_t>(*n);
  return {};
}

// Go prints the zero value of its prefix type with these words.
bool no_prefix(std::string_view text) { return text.empty() || text == "invalid Prefix"; }

Result<void> read_network(std::optional<Prefix>& out, const Scalar& s) {
  const auto text = TRY(json::as_text(s));
  if (!no_prefix(text)) out = TRY(Prefix::parse(text));
  return {};
}

Result<void> read_peer_ip(std::optional<Address>& out, const Scalar& s) {
  const auto text = TRY(json::as_text(s));
  if (!text.empty()) out = TRY(Address::parse(text));
  return {};
}

Result<Place> read_place(const Scalar& s) {
  const auto text = TRY(json::as_text(s));
  if (!text.empty() && (text[0] == '[' || (text[0] >= '0' && text[0] <= '9')))
    if (const auto address = Endpoint::parse(text)) return *address;
  auto at = TRY(HostPort::parse(text));
  if (const auto literal = Address::parse(at.host)) return Endpoint{*literal, at.port};
  (void)TRY(DomainName::parse(at.host));
  return at;
}

// The members come in any order.
Result<void> read_first_place(std::vector<Place>& out, const Scalar& s) {
  if (s.kind == Scalar::Kind::text && s.text.empty()) return {};
  out.insert(out.begin(), TRY(read_place(s)));
  return {};
}

json::Field more_places(std::string_view name) {
  auto f = json::list_by<&RemotePeer::endpoints, read_place>(name, kMaxEndpointsPerPeer);
  f.clear = [](void*, const void*) {};  // "endpoint" may be in the list already
  return f;
}

Result<void> read_address_bytes(std::optional<Address>& out, const Scalar& s) {
  const auto wire = TRY(json::as_bytes(s));
  if (!wire.empty()) out = TRY(Address::from_bytes(bytes_of(wire)));
  return {};
}

Result<Prefix> wire_prefix(const Scalar& s) { return TRY(from_wire(s)).network(); }

// An id is text inside its bytes; one that is not stays base64.
Result<void> read_id(std::string& out, const Scalar& s) {
  auto bytes = TRY(json::as_bytes(s));
  const bool visible =
      std::ranges::all_of(bytes, [](char c) { return c >= ' ' && c < 0x7f; });
  out = visible ? std::move(bytes) : base64_encode(bytes_of(bytes));
  return {};
}

Result<void> read_port(uint16_t& out, const Scalar& s) {
  const auto n = json::as_number(s, 65535);
  if (!n || *n == 0) return fail(ERANGE, "the port must be 1-65535");
  out = static_cast<uint16_t>(*n);
  return {};
}

// Absent and 0 are the same to protobuf.
Result<void> read_port_or_any(uint16_t& out, const Scalar& s) {
  if (s.kind == Scalar::Kind::text && s.text.empty()) return {};
  const auto n = json::as_number(s, 65535);
  if (!n) return fail(ERANGE, "the port must be 1-65535");
  out = static_cast<uint16_t>(*n);
  return {};
}

Result<void> read_ttl(uint32_t& out, const Scalar& s) {
  out = static_cast<uint32_t>(TRY(json::as_number(s, INT32_MAX)));  // RFC 2181 §8
  return {};
}

// Checked, not kept.
Result<void> read_class(std::string&, const Scalar& s) {
  const auto text = TRY(json::as_text(s));
  if (!text.empty() && text != "IN" && text != "in")
    return fail(EINVAL, "only class IN is served");
  return {};
}

Shape map_shape(std::vector<json::Field> fields,
                Result<void> (*finish)(void*) = nullptr) {
  return {.names = Shape::Names::folded,
          .unknown = Shape::Unknown::ignored,
          .nulls = Shape::Nulls::absent,
          .fields = std::move(fields),
          .finish = finish};
}

template <class T, Result<void> (*check)(const T&)>
Result<void> checked(void* object) {
  return check(*static_cast<const T*>(object));
}

Result<void> check_ports(const PortInfo& p) {
  const auto& r = p.range;
  if (p.port != 0 && r.end != 0) return fail(EINVAL, "port and range exclude each other");
  if ((r.start == 0) != (r.end == 0) || r.start > r.end)
    return fail(EINVAL, "the range must be 1-65535, start before end");
  return {};
}

// The same place twice is one.
Result<void> settle_places(void* object) {
  auto& places = static_cast<RemotePeer*>(object)->endpoints;
  for (size_t i = 1; i < places.size();) {
    const auto at = places.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(places.begin(), at, *at) != at)
      places.erase(at);
    else
      ++i;
  }
  if (places.size() > kMaxEndpointsPerPeer)
    return fail(E2BIG,
                "more than " + std::to_string(kMaxEndpointsPerPeer) + " endpoints");
  return {};
}

Result<void> check_route(const MapRoute& r) {
  if (!r.network && r.domains.empty())
    return fail(EINVAL, "has neither Network nor Domains");
  return {};
}

Result<void> check_record(const MapRecord& r) {
  constexpr uint16_t type_a = 1, type_cname = 5, type_aaaa = 28;
  if (r.name.empty()) return fail(EINVAL, "the record has no Name");
  if (r.type == 0) return fail(EINVAL, "the record has no Type");
  if (r.type == type_a || r.type == type_aaaa) {
    const auto a = Address::parse(r.rdata);
    if (!a || a->is_v4() != (r.type == type_a))
      return fail(EINVAL, "the RData is no address of the record's type");
  }
  if (r.type == type_cname && !DomainName::parse(r.rdata))
    return fail(EINVAL, "the RData is no name");
  return {};
}

Result<void> check_zone(const CustomZone& z) {
  if (z.domain.empty()) return fail(EINVAL, "the zone has no Domain");
  return {};
}

// A document is the map itself, or has it as a member. The deprecated fields beside it in
// a SyncResponse bear the same names, so both places are decoded.
struct Document : NetworkMap {
  std::optional<NetworkMap> inner{};
};

}  // namespace

static const Shape& shape_of(std::type_identity<PortInfo::Range>) {
  static const Shape s = map_shape({
      json::field_by<&PortInfo::Range::start, read_port_or_any>("start"),
      json::field_by<&PortInfo::Range::end, read_port_or_any>("end"),
  });
  return s;
}

static const Shape& shape_of(std::type_identity<PortInfo>) {
  static const Shape s = map_shape(
      {
          json::field_by<&PortInfo::port, read_port_or_any>("port"),
          field<&PortInfo::range>("range"),
      },
      checked<PortInfo, check_ports>);
  return s;
}

static const Shape& shape_of(std::type_identity<PeerConfig>) {
  static const Shape s = map_shape({
      json::field_by<&PeerConfig::address, read_own_v4>("address"),
      json::field_by<&PeerConfig::address_v6, read_own_v6>("address_v6"),
      field<&PeerConfig::fqdn>("fqdn"),
      json::field_by<&PeerConfig::mtu, read_mtu>("mtu"),
      field<&PeerConfig::routing_peer_dns_resolution>("RoutingPeerDnsResolutionEnabled"),
  });
  return s;
}

static const Shape& shape_of(std::type_identity<RemotePeer>) {
  static const Shape s = map_shape(
      {
          field<&RemotePeer::key>("wgPubKey"),
          field<&RemotePeer::allowed_ips>("allowedIps", kMaxPrefixesPerPeer),
          field<&RemotePeer::fqdn>("fqdn"),
          field<&RemotePeer::agent_version>("agentVersion"),
          json::field_by<&RemotePeer::endpoints, read_first_place>("endpoint"),
          more_places("endpoints"),
          field<&RemotePeer::keepalive>("persistentKeepalive"),
          json::secret_field<&RemotePeer::preshared_key>("presharedKey"),
          field<&RemotePeer::groups>("groups", kMaxGroupsPerPeer),
      },
      settle_places);
  return s;
}

template <PeerList NetworkMap::*M>
static json::Field peer_list(std::string_view name) {
  return {.name = name,
          .kind = json::Field::Kind::objects,
          .max = kMaxPeers,
          .element_bytes = sizeof(RemotePeer),
          .clear = [](void* map,
                      const void*) { (static_cast<NetworkMap*>(map)->*M).clear(); },
          .enter = [](void* map) -> void* {
            return &(static_cast<NetworkMap*>(map)->*M).draft();
          },
          .drop = [](void* map) { (static_cast<NetworkMap*>(map)->*M).drop_draft(); },
          .shape = &shape_of(std::type_identity<RemotePeer>{})};
}

static const Shape& shape_of(std::type_identity<MapRoute>) {
  static const Shape s = map_shape(
      {
          field<&MapRoute::id>("ID"),
          json::field_by<&MapRoute::network, read_network>("Network"),
          field<&MapRoute::peer>("Peer"),
          field<&MapRoute::metric>("Metric"),
          field<&MapRoute::masquerade>("Masquerade"),
          field<&MapRoute::net_id>("NetID"),
          field<&MapRoute::domains>("Domains", kMaxDomains),
          field<&MapRoute::keep_route>("keepRoute"),
          field<&MapRoute::skip_auto_apply>("skipAutoApply"),
      },
      checked<MapRoute, check_route>);
  return s;
}

static const Shape& shape_of(std::type_identity<NameServer>) {
  static const Shape s = map_shape({
      field<&NameServer::ip>("IP"),
      field<&NameServer::type>("NSType"),
      json::field_by<&NameServer::port, read_port>("Port"),
  });
  return s;
}

static const Shape& shape_of(std::type_identity<NameServerGroup>) {
  static const Shape s = map_shape({
      field<&NameServerGroup::servers>("NameServers", kMaxNameServers),
      field<&NameServerGroup::primary>("Primary"),
      field<&NameServerGroup::domains>("Domains", kMaxDomains),
      field<&NameServerGroup::search_domains_enabled>("SearchDomainsEnabled"),
  });
  return s;
}

static const Shape& shape_of(std::type_identity<MapRecord>) {
  static const Shape s = map_shape(
      {
          field<&MapRecord::name>("Name"),
          field<&MapRecord::type>("Type"),
          json::field_by<&MapRecord::rdata, read_class>("Class"),
          json::field_by<&MapRecord::ttl, read_ttl>("TTL"),
          field<&MapRecord::rdata>("RData"),
      },
      checked<MapRecord, check_record>);
  return s;
}

static const Shape& shape_of(std::type_identity<CustomZone>) {
  static const Shape s = map_shape(
      {
          field<&CustomZone::domain>("Domain"),
          field<&CustomZone::records>("Records", kMaxRecords),
          field<&CustomZone::search_domain_disabled>("SearchDomainDisabled"),
          field<&CustomZone::non_authoritative>("NonAuthoritative"),
      },
      checked<CustomZone, check_zone>);
  return s;
}

static const Shape& shape_of(std::type_identity<DnsConfig>) {
  static const Shape s = map_shape({
      field<&DnsConfig::service_enable>("ServiceEnable"),
      field<&DnsConfig::groups>("NameServerGroups", kMaxNameServerGroups),
      field<&DnsConfig::zones>("CustomZones", kMaxZones),
  });
  return s;
}

static const Shape& shape_of(std::type_identity<FirewallRule>) {
  static const Shape s = map_shape({
      json::field_by<&FirewallRule::peer_ip, read_peer_ip>("PeerIP"),
      json::list_by<&FirewallRule::source_prefixes, wire_prefix>("sourcePrefixes",
                                                                 kMaxRuleSources),
      field<&FirewallRule::direction>("Direction"),
      field<&FirewallRule::action>("Action"),
      field<&FirewallRule::protocol>("Protocol"),
      field<&FirewallRule::custom_protocol>("customProtocol"),
      field<&FirewallRule::port_info>("PortInfo"),
      json::field_by<&FirewallRule::port, read_port_or_any>("Port"),
      json::field_by<&FirewallRule::policy_id, read_id>("PolicyID"),
  });
  return s;
}

static const Shape& shape_of(std::type_identity<RouteFirewallRule>) {
  static const Shape s = map_shape({
      field<&RouteFirewallRule::sources>("sourceRanges", kMaxRuleSources),
      field<&RouteFirewallRule::action>("action"),
      json::field_by<&RouteFirewallRule::destination, read_network>("destination"),
      field<&RouteFirewallRule::protocol>("protocol"),
      field<&RouteFirewallRule::custom_protocol>("customProtocol"),
      field<&RouteFirewallRule::port_info>("portInfo"),
      field<&RouteFirewallRule::dynamic>("isDynamic"),
      field<&RouteFirewallRule::domains>("domains", kMaxDomains),
      json::field_by<&RouteFirewallRule::policy_id, read_id>("PolicyID"),
      field<&RouteFirewallRule::route_id>("RouteID"),
  });
  return s;
}

static const Shape& shape_of(std::type_identity<ForwardingRule>) {
  static const Shape s = map_shape({
      field<&ForwardingRule::protocol>("protocol"),
      field<&ForwardingRule::destination_port>("destinationPort"),
      json::field_by<&ForwardingRule::translated_address, read_address_bytes>(
          "translatedAddress"),
      field<&ForwardingRule::translated_port>("translatedPort"),
  });
  return s;
}

static const Shape& shape_of(std::type_identity<NetworkMap>) {
  static const Shape s = map_shape({
      field<&NetworkMap::serial>("Serial"),
      field<&NetworkMap::peer_config>("peerConfig"),
      peer_list<&NetworkMap::remote_peers>("remotePeers"),
      field<&NetworkMap::remote_peers_empty>("remotePeersIsEmpty"),
      peer_list<&NetworkMap::offline_peers>("offlinePeers"),
      field<&NetworkMap::routes>("Routes", kMaxMapRoutes),
      field<&NetworkMap::dns>("DNSConfig"),
      field<&NetworkMap::firewall_rules>("FirewallRules", kMaxRules),
      field<&NetworkMap::firewall_rules_empty>("firewallRulesIsEmpty"),
      field<&NetworkMap::route_firewall_rules>("routesFirewallRules", kMaxRules),
      field<&NetworkMap::route_firewall_rules_empty>("routesFirewallRulesIsEmpty"),
      field<&NetworkMap::forwarding_rules>("forwardingRules", kMaxRules),
  });
  return s;
}

namespace {

const Shape& document_shape() {
  static const Shape s = [] {
    Shape shape = shape_of(std::type_identity<NetworkMap>{});
    shape.fields.push_back({.name = "NetworkMap",
                            .kind = json::Field::Kind::object,
                            .enter = [](void* owner) -> void* {
                              auto* map = static_cast<NetworkMap*>(owner);
                              return &static_cast<Document*>(map)->inner.emplace();
                            },
                            .shape = &shape_of(std::type_identity<NetworkMap>{})});
    return shape;
  }();
  return s;
}

}  // namespace

std::vector<Prefix> PeerConfig::networks() const {
  std::vector<Prefix> all;
  if (address) all.push_back(address->network());
  if (address_v6) all.push_back(address_v6->network());
  return all;
}

std::string PortRange::text() const {
  if (any()) return {};
  const auto from = std::to_string(first);
  return first == last ? from : from + "-" + std::to_string(last);
}

std::vector<Prefix> FirewallRule::sources() const {
  if (!source_prefixes.empty() || !peer_ip) return source_prefixes;
  if (peer_ip->is_unspecified()) return {*Prefix::make(*peer_ip, 0)};
  return {Prefix::host(*peer_ip)};
}

std::expected<NetworkMap, Problems> decode_map(std::string_view bytes,
                                               std::string_view file) {
  Document document;
  if (bytes.size() > kMaxMapBytes) {
    Problems p;
    p.add({.file = std::string(file),
           .reason = "larger than " + std::to_string(kMaxMapBytes) + " bytes"});
    return std::unexpected(std::move(p));
  }
  auto problems =
      json::decode(bytes, file, document_shape(), static_cast<NetworkMap*>(&document));
  if (!problems.empty()) return std::unexpected(std::move(problems));
  NetworkMap& map = document.inner ? *document.inner : document;
  if (document.inner) map.at = "/NetworkMap";
  map.remote_peers.settle();
  map.offline_peers.settle();
  return std::move(map);
}

}  // namespace wigeon
