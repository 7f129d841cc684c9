// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/marks.hh"
#include "netlink/addr.hh"
#include "netlink/route.hh"
#include "netlink/rule.hh"
#include "tests/netns/netlink_namespace.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

Route route(const char* destination, IfIndex device) {
  return {.destination = *Prefix::parse(destination),
          .table = kDefaultTable,
          .metric = 50,
          .device = device,
          .protocol = kRouteProtocol};
}

std::vector<Route> sorted(std::vector<Route> routes) {
  std::ranges::sort(routes);
  return routes;
}

// Everything but what the kernel has by itself, in both families.
std::vector<Rule> our_rules(Socket& s) {
  auto rules = list_rules(s).value();
  std::erase_if(rules, [](const Rule& r) { return r.protocol != kRouteProtocol; });
  return rules;
}

struct Up {
  Socket s = route_socket();
  Veth veth{s, "va"};
  Up() {
    REQUIRE(set_state(s, veth.index(), LinkState::up));
    run("ip link set vap up");
  }
};

}  // namespace

TEST_CASE("routes read back as they were added, both families and every type") {
  Up up;
  auto& s = up.s;
  std::vector<Route> routes;
  for (const auto* to : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "fd01::/64", "::/0"})
    routes.push_back(route(to, up.veth.index()));
  for (const auto type : {Route::Type::blackhole, Route::Type::unreachable,
                          Route::Type::prohibit, Route::Type::throw_})
    for (const std::string family : {"10.1.", "fd02:"}) {
      const auto n = std::to_string(static_cast<int>(type));
      auto r =
          route((family[0] == '1' ? family + n + ".0/24" : family + n + "::/48").c_str(),
                IfIndex::none);
      r.type = type;
      routes.push_back(r);
    }
  for (int twice = 0; twice < 2; ++twice)
    for (const auto& r : routes) REQUIRE(add_route(s, r));
  CHECK(sorted(list_routes(s, kDefaultTable).value()) == sorted(routes));
  for (int twice = 0; twice < 2; ++twice)
    for (const auto& r : routes) REQUIRE(remove_route(s, r));
  CHECK(list_routes(s, kDefaultTable).value().empty());
}

TEST_CASE("a route through a gateway is read with it") {
  Up up;
  auto& s = up.s;
  REQUIRE(add_address(s, {.link = up.veth.index(),
                          .address = *InterfaceAddress::parse("198.51.100.1/24")}));
  auto r = route("10.0.0.0/8", up.veth.index());
  r.gateway = *Address::parse("198.51.100.2");
  REQUIRE(add_route(s, r));
  CHECK(list_routes(s, kDefaultTable).value() == std::vector{r});
  r.gateway = *Address::parse("203.0.113.1");
  const auto refused = add_route(s, r);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == "RTM_NEWROUTE: ENETUNREACH: Nexthop has invalid gateway");
}

TEST_CASE("in our table a route changes in place") {
  Up up;
  auto& s = up.s;
  for (const auto* to : {"10.0.0.0/8", "fd01::/64"}) {
    auto r = route(to, up.veth.index());
    REQUIRE(add_route(s, r));
    r.type = Route::Type::unreachable;
    r.device = IfIndex::none;
    REQUIRE(add_route(s, r));
    CHECK(list_routes(s, kDefaultTable).value() == std::vector{r});
    REQUIRE(remove_route(s, r));
  }
}

TEST_CASE("in the main table a foreign route is neither replaced nor removed") {
  Up up;
  auto& s = up.s;
  run("ip route add 10.0.0.0/8 dev va metric 50");
  auto ours = route("10.0.0.0/8", up.veth.index());
  ours.table = RT_TABLE_MAIN;
  CHECK(add_route(s, ours).error().code == EEXIST);
  CHECK(remove_route(s, ours));
  const auto main = list_routes(s, RT_TABLE_MAIN).value();
  CHECK(std::ranges::count(main, *Prefix::parse("10.0.0.0/8"), &Route::destination) == 1);
}

TEST_CASE("IPv6 metric 0 is listed as the kernel's default") {
  Up up;
  auto& s = up.s;
  auto r = route("fd01::/64", up.veth.index());
  r.metric = 0;
  REQUIRE(add_route(s, r));
  CHECK(list_routes(s, kDefaultTable).value().at(0).metric ==
        stored_metric(Family::v6, 0));
  REQUIRE(remove_route(s, r));
  CHECK(list_routes(s, kDefaultTable).value().empty());
}

TEST_CASE("10,000 routes go out and away in a dozen sends each") {
  Up up;
  auto& s = up.s;
  std::vector<RouteChange> changes;
  for (uint32_t i = 0; i < 10'000; ++i) {
    auto r = route("10.0.0.0/8", up.veth.index());
    r.destination = Prefix::host(Address::v4(0x0a000000 + i));
    changes.push_back({.kind = RouteChange::Kind::add, .route = r});
  }
  const auto before = s.counters();
  CHECK(change_routes(s, changes).value().empty());
  CHECK(s.counters().sends - before.sends <= 12);
  CHECK(s.counters().receives - before.receives == s.counters().sends - before.sends);
  CHECK(list_routes(s, kDefaultTable).value().size() == 10'000);
  for (auto& c : changes) c.kind = RouteChange::Kind::remove;
  CHECK(change_routes(s, changes).value().empty());
  CHECK(change_routes(s, changes).value().empty());  // all of them refused as not there
  CHECK(list_routes(s, kDefaultTable).value().empty());
}

TEST_CASE("what is refused in the middle of a batch is named, the rest is done") {
  Up up;
  auto& s = up.s;
  std::vector<RouteChange> changes;
  for (const auto* to : {"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"})
    changes.push_back(
        {.kind = RouteChange::Kind::add, .route = route(to, up.veth.index())});
  changes[1].route.device = IfIndex{4711};
  const auto refused = change_routes(s, changes).value();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].index == 1);
  CHECK(refused[0].error.code == ENODEV);
  CHECK(list_routes(s, kDefaultTable).value().size() == 2);
}

TEST_CASE("a table nobody made is empty") {
  auto s = route_socket();
  CHECK(list_routes(s, 31337).value().empty());
}

TEST_CASE("rules of both families read back as they were added") {
  auto s = route_socket();
  std::vector<Rule> rules{{.family = Family::v4,
                           .priority = 105,
                           .mark = 0x1BD00,
                           .mark_mask = 0x1FF00,
                           .invert = true,
                           .table = kDefaultTable,
                           .protocol = kRouteProtocol},
                          {.family = Family::v4,
                           .priority = 106,
                           .from = *Prefix::parse("10.0.0.0/8"),
                           .to = *Prefix::parse("192.0.2.0/24"),
                           .input = "lo",
                           .table = kDefaultTable,
                           .protocol = kRouteProtocol},
                          {.family = Family::v6,
                           .priority = 105,
                           .table = RT_TABLE_MAIN,
                           .suppress_prefix_length = 0,
                           .protocol = kRouteProtocol},
                          {.family = Family::v6,
                           .priority = 107,
                           .mark = 0,
                           .mark_mask = 0xff,
                           .table = kDefaultTable,
                           .protocol = kRouteProtocol},
                          {.family = Family::v6,
                           .priority = 108,
                           .output = "eth0.100",
                           .ip_protocol = IPPROTO_TCP,
                           .source_ports = PortSpan{1, 1023},
                           .destination_ports = PortSpan{10000, 65534},
                           .table = 70000,
                           .protocol = kRouteProtocol}};
  for (const auto& r : rules) REQUIRE(add_rule(s, r));
  CHECK(our_rules(s) == rules);
  CHECK(add_rule(s, rules[0]).error().code == EEXIST);
  for (int twice = 0; twice < 2; ++twice)
    for (const auto& r : rules) REQUIRE(remove_rule(s, r));
  CHECK(our_rules(s).empty());
}

TEST_CASE("a rule for the tables of VRFs reads back, where there are VRFs") {
  auto s = route_socket();
  const Rule r{
      .family = Family::v4, .priority = 102, .l3mdev = true, .protocol = kRouteProtocol};
  const auto added = add_rule(s, r);
  if (!added) {  // CONFIG_NET_L3_MASTER_DEV is off
    CHECK((added.error().code == EINVAL || added.error().code == EOPNOTSUPP));
    return;
  }
  CHECK(our_rules(s) == std::vector{r});
  REQUIRE(remove_rule(s, r));
  CHECK(our_rules(s).empty());
}

TEST_CASE("the last resort is behind every other route to a network, in both families") {
  Up up;
  auto& s = up.s;
  for (const auto* to : {"10.0.0.0/8", "0.0.0.0/0", "fd01::/64", "::/0"}) {
    auto last = route(to, IfIndex::none);
    last.type = Route::Type::unreachable;
    last.metric = kLastResortMetric;
    last.table = 70000;
    REQUIRE(add_route(s, last));
    auto first = last;
    first.type = Route::Type::unicast;
    first.metric = 50;
    first.device = up.veth.index();
    REQUIRE(add_route(s, first));
    CHECK(sorted(list_routes(s, 70000).value()) == sorted({first, last}));
    REQUIRE(remove_route(s, first));
    CHECK(list_routes(s, 70000).value() == std::vector{last});
    REQUIRE(remove_route(s, last));
  }
}

TEST_CASE("a foreign rule like ours is not removed") {
  auto s = route_socket();
  run("ip rule add fwmark 0x1BD00 lookup 7120 priority 105 protocol 99");
  CHECK(remove_rule(s, {.priority = 105,
                        .mark = 0x1BD00,
                        .table = kDefaultTable,
                        .protocol = kRouteProtocol}));
  const auto rules = list_rules(s).value();
  CHECK(std::ranges::count(rules, 99, &Rule::protocol) == 1);
  run("ip rule del priority 105");
}
