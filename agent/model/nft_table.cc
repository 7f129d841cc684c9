// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/nft_table.hh"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>

#include "agent/model/limits.hh"

namespace wigeon {
namespace {

bool has_family(const std::vector<Address>& own, Family family) {
  return std::ranges::any_of(own, [&](const Address& a) { return a.family() == family; });
}

// Takes forwarding rules one by one and says what is wrong with one.
class Forwardings {
 public:
  explicit Forwardings(NftTable& table) : table_(table) {}

  // Empty: it was taken.
  std::string add(const ForwardingRule& rule) {
    const auto to = rule.destination_port.ports();
    auto translated = rule.translated_port.ports();
    if (translated.any()) translated = to;
    if (auto reason = refusal(rule, to, translated); !reason.empty()) return reason;
    for (const auto protocol : protocols(rule.protocol)) {
      mark_taken(protocol, rule.translated_address->family(), to);
      table_.dnat.push_back({.protocol = protocol,
                             .destination = to,
                             .translated_address = *rule.translated_address,
                             .translated_port = translated});
      if (to != translated) shifted_ += length(to);
    }
    return {};
  }

 private:
  using Ports = std::bitset<65536>;

  static size_t length(const PortRange& r) { return size_t{1} + r.last - r.first; }
  static std::vector<Protocol> protocols(Protocol p) {
    return p == Protocol::all ? std::vector{Protocol::tcp, Protocol::udp}
                              : std::vector{p};
  }
  Ports& taken(Protocol protocol, Family family) {
    return taken_.at((protocol == Protocol::udp ? 1u : 0u) +
                     (family == Family::v6 ? 2u : 0u));
  }
  void mark_taken(Protocol protocol, Family family, const PortRange& r) {
    for (size_t port = r.first; port <= r.last; ++port) taken(protocol, family).set(port);
  }

  std::string refusal(const ForwardingRule& rule, const PortRange& to,
                      const PortRange& translated) {
    if (rule.protocol != Protocol::tcp && rule.protocol != Protocol::udp &&
        rule.protocol != Protocol::all)
      return "only TCP and UDP have ports to forward";
    if (to.any()) return "it names no port, and would take every port of this host";
    if (to.first == 0 || to.last < to.first || translated.first == 0 ||
        translated.last < translated.first)
      return "its ports are no range";
    if (length(to) != length(translated))
      return fmt::format("ports {} do not fit ports {}: one has {}, the other {}",
                         to.text(), translated.text(), length(to), length(translated));
    if (!rule.translated_address) return "it names no translated address";
    const auto& a = *rule.translated_address;
    if (a.is_unspecified() || a.is_loopback() || a.is_link_local() || a.is_multicast())
      return fmt::format("{} is no address to forward to", a.text());
    if (!has_family(table_.own, a.family()))
      return fmt::format("this host has no overlay address of the family of {}",
                         a.text());
    const auto wanted = protocols(rule.protocol);
    for (const auto protocol : wanted)
      for (size_t port = to.first; port <= to.last; ++port)
        if (taken(protocol, a.family()).test(port))
          return fmt::format("port {}/{} is forwarded by an earlier rule", port,
                             port_protocol(protocol));
    if (table_.dnat.size() + wanted.size() > kMaxForwardings)
      return fmt::format("more than {} forwarding rules", kMaxForwardings);
    if (to != translated && shifted_ + length(to) * wanted.size() > kMaxShiftedPorts)
      return fmt::format("more than {} ports that change their number", kMaxShiftedPorts);
    return {};
  }

  NftTable& table_;
  std::array<Ports, 4> taken_{};
  size_t shifted_ = 0;
};

void add_routes(const Config& config, const NetworkMap& map, const Key& own,
                const Accepted& accepted, NftTable& t) {
  for (size_t i = 0; i < map.routes.size(); ++i) {
    const auto& r = map.routes[i];
    if (r.peer != own || !r.network || !accepted.routes[i]) continue;
    if (config.disable_ipv6 && r.network->family() == Family::v6) continue;
    t.routed.push_back({*r.network, r.masquerade});
  }
  // Of two routes to one network masquerade wins: without it answers may not come back.
  std::ranges::sort(t.routed, [](const RoutedNetwork& a, const RoutedNetwork& b) {
    return std::tuple(a.network, b.masquerade) < std::tuple(b.network, a.masquerade);
  });
  const auto twice = std::ranges::unique(t.routed, {}, &RoutedNetwork::network);
  t.routed.erase(twice.begin(), twice.end());
}

void add_forwardings(const NetworkMap& map, NftPlan& plan) {
  Forwardings forwardings(plan.table);
  for (size_t i = 0; i < map.forwarding_rules.size(); ++i) {
    auto reason = forwardings.add(map.forwarding_rules[i]);
    if (reason.empty()) continue;
    if (plan.refusals.size() < kMaxRefusals)
      plan.refusals.push_back({.what = fmt::format("forwarding rule {}", i),
                               .pointer = fmt::format("/forwardingRules/{}", i),
                               .reason = std::move(reason)});
  }
}

}  // namespace

bool NftTable::empty() const {
  return overlay.empty() && own.empty() && !reply_mark && routed.empty() && dnat.empty();
}

void keep_to_link(const std::vector<Sysctl>& sysctls, const HostView& host, NftTable& t) {
  const auto interface_of = [&](const std::string& key, std::string_view conf) {
    const auto end = key.rfind('/');
    if (!key.starts_with(conf) || end < conf.size()) return std::string();
    const auto name = key.substr(conf.size(), end - conf.size());
    return key.ends_with("forwarding") && name != t.link ? name : std::string();
  };
  for (const auto& s : sysctls) {
    if (const auto name = interface_of(s.key, "net/ipv4/conf/");
        !name.empty() && !host.forwards_v4)
      t.opened_v4.push_back(name);
    if (const auto name = interface_of(s.key, "net/ipv6/conf/");
        !name.empty() && !host.forwards_v6) {
      if (name == "all")
        t.opened_all_v6 = true;
      else
        t.opened_v6.push_back(name);
    }
  }
}

NftPlan nft_table(const Config& config, const NetworkMap& map, const Key& own,
                  const Accepted& accepted, FullTunnel full_tunnel) {
  NftPlan plan;
  auto& t = plan.table;
  t.link = config.interface_name;
  for (const auto* a : {&map.peer_config.address, &map.peer_config.address_v6}) {
    if (!*a || (config.disable_ipv6 && (*a)->address.family() == Family::v6)) continue;
    t.own.push_back((*a)->address);
    t.overlay.push_back((*a)->network());
  }
  std::ranges::sort(t.own);
  std::ranges::sort(t.overlay);
  for (const auto& p : config.dns.allow_from)
    if (has_family(t.own, p.family())) t.dns_clients.push_back(p);
  std::ranges::sort(t.dns_clients);
  if (full_tunnel == FullTunnel::on)
    t.reply_mark = ReplyMark{config.routing.mark, config.routing.mark_mask};
  if (config.routing.disable_server_routes) return plan;
  add_routes(config, map, own, accepted, t);
  add_forwardings(map, plan);
  return plan;
}

}  // namespace wigeon
