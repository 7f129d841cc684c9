// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/forwarding.hh"

#include <algorithm>
#include <set>
#include <utility>

namespace wigeon {
namespace {

// Which interfaces lead to a network.
class Reach {
 public:
  explicit Reach(const HostView& host) {
    std::set<IfIndex> loopback;
    for (const auto& l : host.links)
      if (l.loopback) loopback.insert(l.index);
    const auto add = [&](const Prefix& p, IfIndex link) {
      if (link != IfIndex::none && !loopback.contains(link)) ways_.emplace_back(p, link);
    };
    for (const auto& r : host.routes)
      if (r.type == Route::Type::unicast) add(r.destination, r.device);
    for (const auto& a : host.addresses)
      if (!a.address.address.is_link_local()) add(a.address.network(), a.link);
    std::ranges::sort(ways_);
  }

  // By the longest route that holds it and by every one inside it; a default route is
  // what the host's own ones lead to.
  void add(const Prefix& p, std::set<IfIndex>& to) const {
    if (p.bits() > 1)
      for (auto at = std::ranges::lower_bound(ways_, Way{p, IfIndex::none});
           at != ways_.end() && p.contains(at->first); ++at)
        to.insert(at->second);
    for (int bits = p.bits() > 1 ? p.bits() : 0; bits >= 0; --bits)
      if (add_exactly(*Prefix::make(p.address(), bits), to)) return;
  }

  void add_all(Family family, std::set<IfIndex>& to) const {
    for (const auto& [prefix, link] : ways_)
      if (prefix.family() == family) to.insert(link);
  }

 private:
  using Way = std::pair<Prefix, IfIndex>;

  bool add_exactly(const Prefix& p, std::set<IfIndex>& to) const {
    const auto ways = std::ranges::equal_range(ways_, p, {}, &Way::first);
    for (const auto& [prefix, link] : ways) to.insert(link);
    return !ways.empty();
  }

  std::vector<Way> ways_{};
};

std::vector<std::string> names(const std::set<IfIndex>& links, const HostView& host,
                               const std::string& own) {
  std::vector<std::string> all{own};
  for (const auto& l : host.links)
    if (links.contains(l.index)) all.push_back(l.name);
  return all;
}

// 2 stays wanted where it is 2 already: by then routes from routers may have expired.
void keep_listening(const HostView& host, std::vector<Sysctl>& to) {
  std::set<IfIndex> heard;
  for (const auto& r : host.routes)
    if (r.protocol == RTPROT_RA) heard.insert(r.device);
  for (const auto& l : host.links) {
    const auto at = host.accept_ra.find(l.index);
    if (at == host.accept_ra.end()) continue;
    if (at->second == 2 || (at->second == 1 && heard.contains(l.index)))
      to.push_back({"net/ipv6/conf/" + l.name + "/accept_ra", "2"});
  }
}

}  // namespace

std::vector<Sysctl> forwarding_sysctls(const Config& config, const NetworkMap& map,
                                       const Key& own, const Accepted& accepted,
                                       const HostView& host) {
  std::vector<Sysctl> wanted;
  if (config.routing.disable_server_routes) return wanted;
  const bool v4 = map.peer_config.address.has_value();
  const bool v6 = map.peer_config.address_v6 && !config.disable_ipv6 && host.ipv6;
  const Reach reach(host);
  std::set<IfIndex> to_v4, to_v6;
  bool serves_v4 = false, serves_v6 = false;
  for (size_t r = 0; r < map.routes.size(); ++r) {
    const auto& route = map.routes[r];
    if (!accepted.routes[r] || route.peer != own || !route.network) continue;
    const bool is_v4 = route.network->family() == Family::v4;
    if (!(is_v4 ? v4 : v6)) continue;
    (is_v4 ? serves_v4 : serves_v6) = true;
    reach.add(*route.network, is_v4 ? to_v4 : to_v6);
  }
  // A forwarded port may be asked for on any interface that has an address.
  for (const auto& rule : map.forwarding_rules) {
    if (!rule.translated_address) continue;
    const bool is_v4 = rule.translated_address->is_v4();
    if (!(is_v4 ? v4 : v6)) continue;
    (is_v4 ? serves_v4 : serves_v6) = true;
    reach.add_all(is_v4 ? Family::v4 : Family::v6, is_v4 ? to_v4 : to_v6);
  }
  const auto each = [&](const std::set<IfIndex>& links, std::string_view conf,
                        std::string_view name) {
    for (const auto& link : names(links, host, config.interface_name))
      wanted.push_back({std::string(conf) + link + std::string(name), "1"});
  };
  if (serves_v4) each(to_v4, "net/ipv4/conf/", "/forwarding");
  if (serves_v6 && host.force_forwarding)
    each(to_v6, "net/ipv6/conf/", "/force_forwarding");
  if (serves_v6 && !host.force_forwarding) {
    keep_listening(host, wanted);
    each(to_v6, "net/ipv6/conf/", "/forwarding");
    wanted.push_back({"net/ipv6/conf/all/forwarding", "1"});
  }
  std::ranges::sort(wanted);
  return wanted;
}

}  // namespace wigeon
