// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "agent/base/sort_unique.hh"
#include "agent/model/coverage.hh"
#include "agent/model/judge.hh"
#include "agent/model/prefix_cover.hh"
#include "agent/model/validate.hh"

namespace wigeon {
namespace {

// What of the host a map must not divert, with words for each.
class Underlay {
 public:
  Underlay(const Config& config, const HostView& host) {
    IfIndex own = IfIndex::none;
    for (const auto& l : host.links)
      if (l.name == config.interface_name) own = l.index;
    const auto link_name = [&](IfIndex index) -> std::string {
      for (const auto& l : host.links)
        if (l.index == index) return l.name;
      return "another interface";
    };
    for (const auto& a : host.addresses) {
      const auto& address = a.address.address;
      if (own != IfIndex::none && a.link == own) continue;
      if (address.is_loopback() || address.is_link_local()) continue;
      addresses_.push_back({a.address, link_name(a.link)});
      add(a.address.network(), "the network of " + link_name(a.link));
    }
    for (const auto& r : host.routes)
      if (r.gateway && !(own != IfIndex::none && r.device == own))
        add(Prefix::host(*r.gateway), "a gateway");
    for (const auto& s : host.dns_servers)
      if (!s.is_loopback()) add(Prefix::host(s), "a DNS server of this host");
    cover_ = PrefixCover(std::move(entries_));
  }

  struct Taken {
    InterfaceAddress address{};
    std::string link{};
  };
  [[nodiscard]] const std::vector<Taken>& addresses() const { return addresses_; }
  // "overlaps 192.0.2.0/24, the network of eth0"; empty when it does not.
  [[nodiscard]] std::string overlap(const Prefix& p) const {
    const auto* e = cover_.overlapping(p);
    if (!e) return {};
    return fmt::format("overlaps {}, {}", e->prefix.text(), words_[e->tag]);
  }

 private:
  void add(const Prefix& p, std::string words) {
    entries_.push_back({p, words_.size()});
    words_.push_back(std::move(words));
  }

  std::vector<Taken> addresses_{};
  std::vector<std::string> words_{};
  std::vector<PrefixCover::Entry> entries_{};
  PrefixCover cover_{};
};

// SR-37. An overlay inside another interface's network would take hosts out of that one.
void check_own(const NetworkMap& map, const Underlay& underlay, Judge& judge) {
  const auto check = [&](const std::optional<InterfaceAddress>& own,
                         std::string_view at) {
    if (!own) return;
    for (const auto& taken : underlay.addresses()) {
      const auto network = taken.address.network();
      if (taken.address.address == own->address)
        judge.refuse_map(at, shown(own->text()), taken.link + " has the same address");
      else if (network.contains(own->network()))
        judge.refuse_map(at, shown(own->text()),
                         fmt::format("its network is in {}, the network of {}",
                                     network.text(), taken.link));
      else
        continue;
      return;
    }
  };
  check(map.peer_config.address, "/peerConfig/address");
  check(map.peer_config.address_v6, "/peerConfig/address_v6");
}

// "others have 10.66.0.0/16"; empty when the table of the full tunnel is free, or ours.
std::string table_use(const Config& config, const HostView& host) {
  if (host.table_held) return {};
  if (host.table_foreign)
    return fmt::format("others have {}", host.table_foreign->destination.text());
  const auto rule = std::ranges::find(host.rules, config.routing.table, &Rule::table);
  if (rule == host.rules.end()) return {};
  return fmt::format("others' rule {} leads", rule->priority);
}

// The widest networks of a map: without them no table would be needed.
std::vector<Prefix> need_table(Judge& judge) {
  std::vector<Prefix> networks;
  judge.each_network([&](const Prefix& p, auto) { networks.push_back(p); });
  sort_unique(networks, [](const Prefix& p) { return std::pair(-p.bits(), p); });
  Coverage v4, v6;
  std::erase_if(networks, [&](const Prefix& p) {
    return (p.family() == Family::v4 ? v4 : v6).add_within_half(p);
  });
  return networks;
}

// "/remotePeers/0/allowedIps/2", where it is first.
std::string pointer_to(const Prefix& p, const NetworkMap& map) {
  for (size_t i = 0; i < map.remote_peers.size(); ++i) {
    const auto& allowed = map.remote_peers[i].allowed_ips;
    for (size_t a = 0; a < allowed.size(); ++a)
      if (allowed[a] == p) return fmt::format("/remotePeers/{}/allowedIps/{}", i, a);
  }
  const auto route = std::ranges::find(map.routes, p, &MapRoute::network);
  return fmt::format("/Routes/{}", route - map.routes.begin());
}

// A table that somebody else uses is not ours to take, nor theirs to lead our packets. A
// map that is new is refused; of one in force, what needs the table is left out.
void keep_off_table(const Config& config, const NetworkMap& map,
                    const MapContext& context, const HostView& host, Judge& judge) {
  if (!config.routing.allow_default_route) return;
  const auto use = table_use(config, host);
  if (use.empty()) return;
  const auto networks = need_table(judge);
  if (networks.empty()) return;
  const auto reason =
      fmt::format("needs routing table {}, where {}; routing.table names it",
                  config.routing.table, use);
  if (!context.in_force)
    return judge.refuse_map(pointer_to(networks.front(), map),
                            shown(networks.front().text()), reason);
  judge.each_network([&](const Prefix& p, auto refuse) {
    if (std::ranges::find(networks, p) != networks.end()) refuse(reason);
  });
}

}  // namespace

void validate_on_host(const Config& config, const NetworkMap& map,
                      const MapContext& context, const HostView& host, Verdict& verdict) {
  Judge judge(map, context, verdict);
  const Underlay underlay(config, host);
  check_own(map, underlay, judge);
  keep_off_table(config, map, context, host, judge);
  judge.each_network([&](const Prefix& p, auto refuse) {
    if (is_default_like(p) && config.routing.allow_default_route) return;
    if (auto reason = underlay.overlap(p); !reason.empty()) refuse(std::move(reason));
  });
  check_routes_against_peers(config, map, context, judge);
}

}  // namespace wigeon
