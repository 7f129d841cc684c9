// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/config.hh"

#include <algorithm>

#include "dns/bytes.hh"

namespace wigeon::dns {
namespace {

constexpr uint32_t kMagic = 0x57475203;  // "WGR", version 3

// The least a zone and a record can occupy: counts beyond it are refused before memory is
// reserved for them.
constexpr size_t kLeastZone = 2 + 1 + 4;
constexpr size_t kLeastRecord = 2 + 2 + 4 + 2;
// What is expected besides the zones, whose room is reserved.
constexpr size_t kRest = 4096;

Result<void> check(size_t n, size_t max, std::string_view what) {
  if (n > max)
    return fail(E2BIG, std::to_string(n) + " " + std::string(what) + ", at most " +
                           std::to_string(max) + " are supported");
  return {};
}

Result<void> check_text(std::string_view s) {
  if (s.size() > kMaxConfigText)
    return fail(EMSGSIZE, "'" + std::string(s.substr(0, 64)) + "…' is longer than " +
                              std::to_string(kMaxConfigText) + " bytes");
  return {};
}

// How many bytes they take.
Result<size_t> check_zones(const std::vector<ZoneView>& zones) {
  TRY(check(zones.size(), kMaxZones, "zones"));
  size_t records = 0, bytes = 0;
  for (const auto& z : zones) {
    TRY(check_text(z.domain));
    records += z.records.size();
    bytes += kLeastZone + z.domain.size();
    for (const auto& r : z.records) {
      for (const auto text : {r.name, r.rdata})
        if (text.size() > kMaxConfigText) TRY(check_text(text));
      bytes += kLeastRecord + r.name.size() + r.rdata.size();
    }
  }
  TRY(check(records, kMaxRecords, "records"));
  return bytes;
}

Result<void> check_limits(const ResolverConfig& c) {
  TRY(check(c.groups.size(), kMaxGroups, "nameserver groups"));
  size_t domains = 0;
  for (const auto& g : c.groups) {
    TRY(check(g.servers.size(), kMaxGroupServers, "servers of a group"));
    domains += g.domains.size();
    for (const auto& d : g.domains) TRY(check_text(d));
  }
  TRY(check(domains, kMaxGroupDomains, "domains of groups"));
  TRY(check(c.upstreams.size(), kMaxUpstreams, "upstreams"));
  TRY(check(c.own_addresses.size(), kMaxOwnAddresses, "own addresses"));
  TRY(check(c.allow_from.size(), kMaxPrefixes, "allowed prefixes"));
  TRY(check(c.interfaces.size(), kMaxInterfaces, "interfaces"));
  return check(c.overlay.size(), kMaxPrefixes, "overlay prefixes");
}

void put_list(ByteWriter& out, const auto& list, auto put) {
  out.put(static_cast<uint32_t>(list.size()));
  for (const auto& e : list) put(e);
}

Result<Prefix> get_prefix(ByteReader& in) {
  const auto address = TRY(in.address());
  auto p = Prefix::make(address, TRY(in.get<uint8_t>()));
  if (!p || p->address() != address) return fail(EBADMSG, "not a prefix");
  return p;
}

template <class T>
Result<std::vector<T>> get_list(ByteReader& in, size_t max, std::string_view what,
                                auto get) {
  std::vector<T> list;
  const size_t n = TRY(in.count(max, what));
  list.reserve(n);
  for (size_t i = 0; i < n; ++i) list.push_back(TRY(get()));
  return list;
}

Result<RecordView> get_record(ByteReader& in) {
  RecordView r;
  r.name = TRY(in.view(kMaxConfigText));
  r.type = TRY(in.get<uint16_t>());
  r.ttl = TRY(in.get<uint32_t>());
  r.rdata = TRY(in.view(kMaxConfigText));
  return r;
}

// domains: how many are left for this and later groups.
Result<GroupConfig> get_group(ByteReader& in, size_t& domains) {
  GroupConfig g;
  g.primary = TRY(in.flag());
  g.servers = TRY(get_list<Endpoint>(in, kMaxGroupServers, "servers of a group",
                                     [&] { return in.endpoint(); }));
  g.domains = TRY(get_list<std::string>(in, domains, "domains of groups",
                                        [&] { return in.text(kMaxConfigText); }));
  domains -= g.domains.size();
  return g;
}

}  // namespace

ZoneView view_of(const ZoneConfig& zone) {
  ZoneView view{.domain = zone.domain, .non_authoritative = zone.non_authoritative};
  view.records.reserve(zone.records.size());
  for (const auto& r : zone.records)
    view.records.push_back(
        {.name = r.name, .rdata = r.rdata, .ttl = r.ttl, .type = r.type});
  return view;
}

std::vector<ZoneView> views_of(const std::vector<ZoneConfig>& zones) {
  std::vector<ZoneView> views;
  views.reserve(zones.size());
  for (const auto& z : zones) views.push_back(view_of(z));
  return views;
}

Result<std::vector<uint8_t>> encode_config(const ResolverConfig& c) {
  return encode_config(c, views_of(c.zones));
}

Result<std::vector<uint8_t>> encode_config(const ResolverConfig& c,
                                           const std::vector<ZoneView>& zones) {
  TRY(check_limits(c));
  ByteWriter out(kRest + TRY(check_zones(zones)));
  out.put(kMagic);
  put_list(out, c.upstreams, [&](auto& e) { out.endpoint(e); });
  put_list(out, c.own_addresses, [&](auto& a) { out.address(a); });
  const auto put_prefix = [&](auto& p) {
    out.address(p.address());
    out.put(static_cast<uint8_t>(p.bits()));
  };
  put_list(out, c.allow_from, put_prefix);
  put_list(out, c.overlay, put_prefix);
  put_list(out, c.interfaces, [&](uint32_t index) { out.put(index); });
  out.put(c.serve_stale);
  put_list(out, c.groups, [&](auto& g) {
    out.flag(g.primary);
    put_list(out, g.servers, [&](auto& e) { out.endpoint(e); });
    put_list(out, g.domains, [&](auto& d) { out.text(d); });
  });
  put_list(out, zones, [&](auto& z) {
    out.text(z.domain);
    out.flag(z.non_authoritative);
    put_list(out, z.records, [&](auto& r) {
      out.text(r.name);
      out.put(r.type);
      out.put(r.ttl);
      out.text(r.rdata);
    });
  });
  auto bytes = std::move(out).take();
  TRY(check(bytes.size(), kMaxConfigBytes, "bytes"));
  return bytes;
}

Result<ResolverConfig> decode_config(Bytes bytes) {
  auto view = TRY(view_config(bytes));
  ResolverConfig c = std::move(view.rest);
  for (const auto& z : view.zones) {
    auto& zone = c.zones.emplace_back(ZoneConfig{
        .domain = std::string(z.domain), .non_authoritative = z.non_authoritative});
    zone.records.reserve(z.records.size());
    for (const auto& r : z.records)
      zone.records.push_back({.name = std::string(r.name),
                              .type = r.type,
                              .ttl = r.ttl,
                              .rdata = std::string(r.rdata)});
  }
  return c;
}

Result<ConfigView> view_config(Bytes bytes) {
  TRY(check(bytes.size(), kMaxConfigBytes, "bytes"));
  ByteReader in(bytes);
  if (TRY(in.get<uint32_t>()) != kMagic)
    return fail(EBADMSG, "not a resolver configuration");
  ConfigView view;
  ResolverConfig& c = view.rest;
  c.upstreams = TRY(
      get_list<Endpoint>(in, kMaxUpstreams, "upstreams", [&] { return in.endpoint(); }));
  c.own_addresses = TRY(get_list<Address>(in, kMaxOwnAddresses, "own addresses",
                                          [&] { return in.address(); }));
  const auto prefix = [&] { return get_prefix(in); };
  c.allow_from = TRY(get_list<Prefix>(in, kMaxPrefixes, "allowed prefixes", prefix));
  c.overlay = TRY(get_list<Prefix>(in, kMaxPrefixes, "overlay prefixes", prefix));
  c.interfaces = TRY(get_list<uint32_t>(in, kMaxInterfaces, "interfaces",
                                        [&] { return in.get<uint32_t>(); }));
  c.serve_stale = TRY(in.get<uint32_t>());
  size_t domains = kMaxGroupDomains;
  c.groups = TRY(get_list<GroupConfig>(in, kMaxGroups, "nameserver groups",
                                       [&] { return get_group(in, domains); }));
  const size_t zones = TRY(in.count(kMaxZones, "zones"));
  view.zones.reserve(std::min(zones, in.left() / kLeastZone));
  size_t left = kMaxRecords;
  for (size_t i = 0; i < zones; ++i) {
    ZoneView z;
    z.domain = TRY(in.view(kMaxConfigText));
    z.non_authoritative = TRY(in.flag());
    const size_t records = TRY(in.count(left, "records"));
    left -= records;
    z.records.reserve(std::min(records, in.left() / kLeastRecord));
    for (size_t k = 0; k < records; ++k) z.records.push_back(TRY(get_record(in)));
    view.zones.push_back(std::move(z));
  }
  TRY(in.end());
  return view;
}

}  // namespace wigeon::dns
