// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/zones.hh"

#include <algorithm>
#include <map>
#include <set>

#include "agent/base/sort_unique.hh"

namespace wigeon {
namespace {

constexpr uint16_t kTypeA = 1;
constexpr uint16_t kTypeAaaa = 28;

// A peer's own addresses among its allowed IPs: the single hosts inside the overlay. When
// the map does not say how large the overlay is, the first of each family.
std::vector<Address> addresses_of(const PeerView& peer,
                                  const std::vector<Prefix>& overlay) {
  std::vector<Address> inside, first;
  bool have_v4 = false, have_v6 = false;
  for (const auto& p : peer.allowed_ips) {
    if (!p.is_host()) continue;
    if (std::ranges::any_of(overlay, [&](const Prefix& o) { return o.contains(p); }))
      inside.push_back(p.address());
    bool& have = p.family() == Family::v4 ? have_v4 : have_v6;
    if (!have) first.push_back(p.address());
    have = true;
  }
  return inside.empty() ? first : inside;
}

}  // namespace

std::vector<ZoneData> dns_zones(const Config& config, const NetworkMap& map) {
  std::map<std::string, ZoneData> zones;
  const auto zone = [&](const DomainName& domain) -> ZoneData& {
    auto [at, made] = zones.try_emplace(domain.text());
    at->second.domain = domain.text();
    return at->second;
  };
  std::set<std::string_view> spoken_for;  // names with records of a custom zone
  for (const auto& custom : map.dns.zones) {
    auto& z = zone(custom.domain);
    z.search_disabled = custom.search_domain_disabled;
    z.non_authoritative = custom.non_authoritative;
    for (const auto& r : custom.records) {
      z.records.push_back({r.name.text(), r.type, r.ttl, r.rdata});
      spoken_for.insert(r.name.text());
    }
  }
  const auto add = [&](const DomainName& fqdn, const std::vector<Address>& addresses) {
    if (fqdn.empty() || spoken_for.contains(fqdn.text())) return;
    auto& z = zone(fqdn.parent());
    for (const auto& a : addresses) {
      if (!a.is_v4() && config.disable_ipv6) continue;
      z.records.push_back(
          {fqdn.text(), a.is_v4() ? kTypeA : kTypeAaaa, kPeerTtl, a.text()});
    }
  };
  const auto& own = map.peer_config;
  std::vector<Address> own_addresses;
  if (own.address) own_addresses.push_back(own.address->address);
  if (own.address_v6) own_addresses.push_back(own.address_v6->address);
  add(own.fqdn, own_addresses);
  const auto overlay = own.networks();
  for (const auto* list : {&map.remote_peers, &map.offline_peers})
    for (const auto& p : *list) add(p.fqdn(), addresses_of(p, overlay));

  std::vector<ZoneData> all;
  for (auto& [domain, z] : zones) {
    sort_unique(z.records);
    all.push_back(std::move(z));
  }
  return all;
}

}  // namespace wigeon
