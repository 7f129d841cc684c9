// SPDX-License-Identifier: GPL-2.0-or-later
// A map of any bytes decodes or is refused; one that is valid gives a Desired whose lists
// are sorted and free of duplicates, and that holds nothing a peer must not have.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/model/desired.hh"
#include "agent/model/zones.hh"

using namespace wigeon;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void sorted_unique(const auto& list) {
  require(std::ranges::is_sorted(list));
  require(std::ranges::adjacent_find(list) == list.end());
}

HostView host() {
  HostView h;
  h.links = {{.index = IfIndex{2}, .name = "eth0"}};
  h.addresses = {{IfIndex{2}, *InterfaceAddress::parse("192.168.1.10/24")}};
  h.dns_servers = {*Address::parse("192.168.2.1")};
  return h;
}

void check(const Config& config, const NetworkMap& map) {
  const MapContext context{.own_key = map.routes.empty() ? Key{} : map.routes[0].peer};
  auto verdict = validate(config, map, context);
  validate_on_host(config, map, context, host(), verdict);
  require(verdict.accepted.peers.size() == map.remote_peers.size());
  if (!verdict.ok()) return;
  const auto d = desired(config, map, {}, {}, {}, verdict.accepted);
  sorted_unique(d.addresses);
  sorted_unique(d.routes);
  sorted_unique(d.rules);
  require(std::ranges::is_sorted(d.peers, {}, &Peer::public_key));
  const Prefix lan = host().addresses[0].address.network();
  for (size_t i = 0; i < d.peers.size(); ++i) {
    const auto& p = d.peers[i];
    require(!p.public_key.is_zero());
    require(i == 0 || d.peers[i - 1].public_key != p.public_key);
    sorted_unique(p.allowed_ips);
    for (const auto& a : p.allowed_ips) {
      if (config.routing.allow_default_route) continue;
      require(a.bits() > 0 && !a.overlaps(lan));
      require(!a.address().is_loopback() && !a.address().is_multicast());
    }
  }
  for (const auto& z : dns_zones(config, map)) {
    require(!z.domain.empty());
    sorted_unique(z.records);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto map = decode_map({reinterpret_cast<const char*>(data), size}, "map");
  if (!map) {
    require(!map.error().text().empty());
    return 0;
  }
  check({}, *map);
  Config full_tunnel;
  full_tunnel.routing.allow_default_route = true;
  full_tunnel.disable_ipv6 = true;
  check(full_tunnel, *map);
  return 0;
}
