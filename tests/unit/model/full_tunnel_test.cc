// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/full_tunnel.hh"

#include <fmt/format.h>
#include <linux/fib_rules.h>

#include <algorithm>

#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

constexpr IfIndex kEth0{2}, kDocker0{3}, kVrf{4};

Route host_route(std::string_view to, IfIndex link, std::string_view via = {}) {
  Route r{.destination = *Prefix::parse(to), .device = link, .protocol = RTPROT_BOOT};
  if (!via.empty()) r.gateway = *Address::parse(via);
  return r;
}

HostView host() {
  HostView h;
  h.links = {{.index = kEth0, .name = "eth0"},
             {.index = kDocker0, .name = "docker0", .kind = "bridge"}};
  h.addresses = {{kDocker0, *InterfaceAddress::parse("172.17.0.1/16")},
                 {kEth0, *InterfaceAddress::parse("198.51.100.2/24")},
                 {kEth0, *InterfaceAddress::parse("2001:db8:1::2/64")},
                 {kEth0, *InterfaceAddress::parse("fe80::2/64")},
                 {IfIndex{1}, *InterfaceAddress::parse("127.0.0.1/8")},
                 {IfIndex{1}, *InterfaceAddress::parse("::1/128")}};
  h.routes = {host_route("0.0.0.0/0", kEth0, "198.51.100.1"),
              host_route("::/0", kEth0, "2001:db8:1::1")};
  return h;
}

Config permitted() {
  Config c;
  c.routing.allow_default_route = true;
  return c;
}

Desired with(std::vector<std::string_view> networks) {
  Desired d;
  for (const auto n : networks)
    d.routes.push_back({.destination = *Prefix::parse(n), .protocol = kRouteProtocol});
  return d;
}

// In the words of ip(8), family by family, in order of priority.
std::string text(const Rule& r) {
  CHECK(r.protocol == kRouteProtocol);
  auto s = fmt::format("{}{}:", r.priority, r.family == Family::v6 ? " -6" : "");
  if (r.invert) s += " not";
  if (r.from) s += " from " + r.from->text();
  if (r.to) s += " to " + r.to->text();
  if (r.mark) s += fmt::format(" fwmark {:#x}/{:#x}", *r.mark, r.mark_mask.value_or(0));
  if (r.ip_protocol == IPPROTO_TCP) s += " tcp";
  if (r.source_ports)
    s += fmt::format(" sport {}-{}", r.source_ports->first, r.source_ports->last);
  if (r.destination_ports)
    s += fmt::format(" dport {}-{}", r.destination_ports->first,
                     r.destination_ports->last);
  s += r.l3mdev                         ? std::string(" l3mdev")
       : r.action == FR_ACT_UNREACHABLE ? std::string(" unreachable")
                                        : fmt::format(" lookup {}", r.table);
  if (r.suppress_prefix_length)
    s += fmt::format(" suppress {}", *r.suppress_prefix_length);
  return s + "\n";
}

std::string rules(Desired d, std::optional<Family> only = {}) {
  std::ranges::sort(d.rules);
  std::string s;
  for (const auto& r : d.rules)
    if (!only || r.family == *only) s += text(r);
  return s;
}

std::string routes(Desired d) {
  std::ranges::sort(d.routes);
  std::string s;
  for (const auto& r : d.routes) {
    CHECK(r.protocol == kRouteProtocol);
    s += fmt::format("{}{} table {} metric {}\n",
                     r.type == Route::Type::unreachable ? "unreachable " : "",
                     r.destination.text(), r.table, r.metric);
  }
  return s;
}

Desired tunnel(std::vector<std::string_view> networks, const Config& c = permitted(),
               const HostView& h = host()) {
  auto d = with(std::move(networks));
  add_full_tunnel(c, map_of(""), h, d);
  return d;
}

}  // namespace

TEST_CASE("full tunnel: the rules of both families") {
  const auto d = tunnel({"0.0.0.0/0", "::/0"});
  CHECK(rules(d) ==
        "104: from 172.17.0.1/32 lookup 254\n"
        "104: from 198.51.100.2/32 lookup 254\n"
        "105: lookup 254 suppress 0\n"
        "110: not fwmark 0x1bd00/0x1ff00 lookup 7120\n"
        "104 -6: from 2001:db8:1::2/128 tcp sport 1-1023 dport 10000-65534 lookup 254\n"
        "105 -6: lookup 254 suppress 0\n"
        "110 -6: not fwmark 0x1bd00/0x1ff00 lookup 7120\n");
  CHECK(routes(d) ==
        "0.0.0.0/0 table 7120 metric 0\n"
        "unreachable 0.0.0.0/0 table 7120 metric 4294967295\n"
        "::/0 table 7120 metric 0\n"
        "unreachable ::/0 table 7120 metric 4294967295\n");
  CHECK(d.notes.empty());
}

TEST_CASE("full tunnel: IPv6 that does not go into it is closed, but for answers") {
  // Our link carries TCP answers as far as the nftables table, which turns them round.
  // What looks for a way without a source, or from an unbound socket, finds none.
  CHECK(routes(tunnel({"0.0.0.0/0"})) ==
        "0.0.0.0/0 table 7120 metric 0\n"
        "unreachable 0.0.0.0/0 table 7120 metric 4294967295\n"
        "::/0 table 7120 metric 0\n"
        "unreachable ::/0 table 7120 metric 4294967295\n");
  CHECK(rules(tunnel({"0.0.0.0/0"}), Family::v6) ==
        "104 -6: from 2001:db8:1::2/128 tcp sport 1-1023 dport 10000-65534 lookup 254\n"
        "105 -6: lookup 254 suppress 0\n"
        "106 -6: from 2001:db8:1::2/128 fwmark 0x0/0x1ff00 tcp sport 1-65534 lookup "
        "7120\n"
        "107 -6: not fwmark 0x1bd00/0x1ff00 lookup 7120 suppress 0\n"
        "108 -6: not fwmark 0x1bd00/0x1ff00 unreachable\n"
        "110 -6: not fwmark 0x1bd00/0x1ff00 lookup 7120\n");
  CHECK(rules(tunnel({"0.0.0.0/0", "fd00::/8"}), Family::v6) ==
        rules(tunnel({"0.0.0.0/0"}), Family::v6));
  // A link without IPv6 carries nothing.
  auto h = host();
  h.ipv6 = false;
  CHECK(rules(tunnel({"0.0.0.0/0"}, permitted(), h), Family::v6) ==
        rules(tunnel({"0.0.0.0/0", "::/0"}), Family::v6));
  CHECK_FALSE(routes(tunnel({"0.0.0.0/0"}, permitted(), h)).contains("\n::/0"));
}

namespace {

constexpr IfIndex kTheirs{9};

HostView with_wg_quick(uint32_t priority, Family family = Family::v4) {
  auto h = host();
  h.links.push_back({.index = kTheirs, .name = "wg1", .kind = "wireguard"});
  h.addresses.push_back({kTheirs, *InterfaceAddress::parse("10.9.0.2/24")});
  h.rules = {{.family = family,
              .priority = priority,
              .mark = 51820,
              .invert = true,
              .table = 51820}};
  h.other_tunnels = {host_route("0.0.0.0/0", kTheirs)};
  h.other_tunnels[0].table = 51820;
  return h;
}

}  // namespace

TEST_CASE(
    "full tunnel: what carries another tunnel goes round ours, which that carries") {
  CHECK(rules(tunnel({"0.0.0.0/0", "::/0"}, permitted(), with_wg_quick(32765)),
              Family::v4) ==
        "103: fwmark 0xca6c/0x0 lookup 254\n"
        "104: from 10.9.0.2/32 lookup 51820\n"
        "104: from 172.17.0.1/32 lookup 254\n"
        "104: from 198.51.100.2/32 lookup 254\n"
        "105: lookup 254 suppress 0\n"
        "110: not fwmark 0x1bd00/0x1ff00 lookup 7120\n");
  const auto v6 =
      tunnel({"0.0.0.0/0", "::/0"}, permitted(), with_wg_quick(32765, Family::v6));
  CHECK(rules(v6, Family::v6).starts_with("103 -6: fwmark 0xca6c/0x0 lookup 254\n"));
  // Its rule would take our marked answers.
  CHECK(rules(v6).contains(
      "104 -6: from 2001:db8:1::2/128 fwmark 0x1bd00/0x1ff00 lookup 254\n"));
  CHECK(v6.notes.empty());
}

TEST_CASE("full tunnel: ours go before the rule of another one") {
  // wg-quick gives no priority, and the kernel puts it first.
  CHECK(
      rules(tunnel({"0.0.0.0/0", "::/0"}, permitted(), with_wg_quick(102)), Family::v4) ==
      "94: fwmark 0xca6c/0x0 lookup 254\n"
      "95: from 10.9.0.2/32 lookup 51820\n"
      "95: from 172.17.0.1/32 lookup 254\n"
      "95: from 198.51.100.2/32 lookup 254\n"
      "96: lookup 254 suppress 0\n"
      "101: not fwmark 0x1bd00/0x1ff00 lookup 7120\n");
  const auto with = [](uint32_t priority) {
    return rules(tunnel({"0.0.0.0/0"}, permitted(), with_wg_quick(priority)), Family::v4);
  };
  CHECK(with(110).contains("109: not fwmark"));
  CHECK(with(111).contains("110: not fwmark"));
  CHECK(with(10).contains("9: not fwmark"));
  // Tailscale's send what carries it to main first, so that nothing goes round.
  auto h = host();
  h.rules = {{.priority = 50, .mark = 0x80000, .table = RT_TABLE_MAIN},
             {.priority = 60, .table = 52}};
  CHECK(rules(tunnel({"0.0.0.0/0"}, permitted(), h)).contains("110: not fwmark"));
}

TEST_CASE("full tunnel: where ours cannot go before another one there is none") {
  const auto d = tunnel({"0.0.0.0/0", "10.1.0.0/16"}, permitted(), with_wg_quick(9));
  CHECK(d.rules.empty());
  CHECK(routes(d) == "10.1.0.0/16 table 254 metric 0\n");
  REQUIRE(d.notes.size() == 1);
  CHECK(d.notes[0].starts_with("no full tunnel: another one has it"));
  CHECK(
      tunnel({"0.0.0.0/1", "128.0.0.0/1"}, permitted(), with_wg_quick(0)).routes.size() ==
      1);
}

TEST_CASE("full tunnel: what others have in our table is said, with an example") {
  auto h = host();
  h.table_held = true;
  h.table_foreign = host_route("10.66.0.0/16", kDocker0);
  h.table_foreign_more = 1;
  h.rules = {{.priority = 90, .table = 7120}};
  const auto d = tunnel({"0.0.0.0/0", "::/0"}, permitted(), h);
  CHECK(rules(d) == rules(tunnel({"0.0.0.0/0", "::/0"})));
  REQUIRE(d.notes.size() == 2);
  CHECK(d.notes[0] ==
        "full tunnel: others have 10.66.0.0/16 dev docker0 and 1 more in routing table "
        "7120, and its packets do not go as ours; it stays, routing.table names another "
        "table for us");
  CHECK(d.notes[1].contains("others' rule 90 leads into routing table 7120"));
  // Not ours to care for without a full tunnel.
  CHECK(tunnel({"10.0.0.0/8"}, permitted(), h).notes.empty());
}

TEST_CASE("full tunnel: a kernel without IPv6 gets nothing of it") {
  auto h = host();
  h.ipv6 = h.ipv6_stack = false;
  Config c = permitted();
  c.routing.exclude = {*Prefix::parse("fd00::/8")};
  const auto d = tunnel({"0.0.0.0/0"}, c, h);
  CHECK(rules(d, Family::v6).empty());
  CHECK(routes(d) ==
        "0.0.0.0/0 table 7120 metric 0\n"
        "unreachable 0.0.0.0/0 table 7120 metric 4294967295\n");
  // Where only addresses are off, it is closed: they may be there on some interfaces.
  h.ipv6_stack = true;
  CHECK(routes(tunnel({"0.0.0.0/0"}, c, h)).contains("unreachable ::/0"));
}

TEST_CASE("full tunnel: only when permitted, and only with a default route") {
  for (const auto& d :
       {tunnel({"0.0.0.0/0"}, Config{}),
        tunnel({"10.0.0.0/8", "172.16.0.0/12", "fd00::/8"}), tunnel({})}) {
    CHECK(d.rules.empty());
    CHECK(std::ranges::all_of(d.routes,
                              [](const Route& r) { return r.table == RT_TABLE_MAIN; }));
  }
}

TEST_CASE("full tunnel: two halves, or anything more than one, are a default route") {
  CHECK(takes_default(with({"0.0.0.0/1", "128.0.0.0/1"}).routes));
  CHECK(takes_default(with({"0.0.0.0/1", "128.0.0.0/2"}).routes));
  CHECK(takes_default(with({"2000::/3"}).routes));
  CHECK_FALSE(takes_default(with({"0.0.0.0/1"}).routes));
  CHECK_FALSE(takes_default(with({"10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9"}).routes));
  auto elsewhere = with({"0.0.0.0/0"});
  elsewhere.routes[0].type = Route::Type::unreachable;
  CHECK_FALSE(takes_default(elsewhere.routes));
  CHECK_FALSE(tunnel({"0.0.0.0/1", "128.0.0.0/1"}).rules.empty());
}

TEST_CASE("full tunnel: excluded networks and distant DNS servers go round it") {
  auto c = permitted();
  c.routing.exclude = {*Prefix::parse("10.20.0.0/16"), *Prefix::parse("fd20::/16")};
  auto h = host();
  for (const auto* s : {"203.0.113.53", "2001:db8:53::53", "198.51.100.53", "127.0.0.53",
                        "100.64.0.9", "fe80::53"})
    h.dns_servers.push_back(*Address::parse(s));
  const auto all = rules(tunnel({"0.0.0.0/0"}, c, h));
  CHECK(
      all.contains("103: to 10.20.0.0/16 lookup 254\n"
                   "103: to 203.0.113.53/32 lookup 254\n"
                   "104: "));
  CHECK(
      all.contains("103 -6: to 2001:db8:53::53/128 lookup 254\n"
                   "103 -6: to fd20::/16 lookup 254\n"
                   "104 -6: "));
}

TEST_CASE("full tunnel: where there is a VRF, its packets are decided by its tables") {
  auto h = host();
  h.links.push_back({.index = kVrf, .name = "blue", .kind = "vrf"});
  const auto d = tunnel({"0.0.0.0/0"}, permitted(), h);
  CHECK(rules(d, Family::v4).starts_with("102: l3mdev\n"));
  CHECK(rules(d, Family::v6).starts_with("102 -6: l3mdev\n"));
}

TEST_CASE("full tunnel: priorities follow the setting and never go below 1") {
  auto c = permitted();
  c.routing.rule_priority = 200;
  c.routing.table = 70000;
  c.routing.mark = 0x100;
  c.routing.mark_mask = 0xff00;
  CHECK(rules(tunnel({"0.0.0.0/0"}, c))
            .contains("205: not fwmark 0x100/0xff00 lookup "
                      "70000\n"));
  c.routing.rule_priority = 1;
  auto h = host();
  h.links.push_back({.index = kVrf, .name = "blue", .kind = "vrf"});
  CHECK(
      rules(tunnel({"0.0.0.0/0"}, c, h)).starts_with("1: l3mdev\n3: from 172.17.0.1/32"));
}

TEST_CASE("full tunnel: beyond the limit, uplinks' addresses stay and a note says so") {
  auto h = host();
  std::vector<LinkAddress> many;
  for (uint32_t i = 0; i < 1000; ++i)
    many.push_back({kDocker0, {.address = Address::v4(0xac100000 + i), .bits = 32}});
  h.addresses.insert(h.addresses.begin(), many.begin(), many.end());
  const auto d = tunnel({"0.0.0.0/0", "::/0"}, permitted(), h);
  CHECK(d.rules.size() == kMaxTunnelExceptions + 4);
  CHECK(rules(d).contains("from 198.51.100.2/32"));
  CHECK(rules(d).contains("from 2001:db8:1::2/128"));
  REQUIRE(d.notes.size() == 1);
  CHECK(d.notes[0].contains("1003 exceptions are wanted"));
  // The same exception twice counts once.
  auto c = permitted();
  c.routing.exclude.assign(1000, *Prefix::parse("10.20.0.0/16"));
  CHECK(tunnel({"0.0.0.0/0"}, c).notes.empty());
}

TEST_CASE(
    "closed tunnel: the overlay's networks are unreachable behind everything else") {
  Desired d;
  close_overlay({}, map_of(""), host(), d);
  CHECK(routes(d) ==
        "unreachable 100.64.0.0/16 table 254 metric 4294967295\n"
        "unreachable fd00:77::/64 table 254 metric 4294967295\n");
  Config c;
  c.disable_ipv6 = true;
  Desired v4;
  close_overlay(c, map_of(""), host(), v4);
  CHECK(routes(v4) == "unreachable 100.64.0.0/16 table 254 metric 4294967295\n");
}
