// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/marks.hh"
#include "netlink/addr.hh"
#include "netlink/monitor.hh"
#include "netlink/route.hh"
#include "netlink/rule.hh"
#include "tests/netns/netlink_namespace.hh"

using namespace wigeon;
using namespace wigeon::netlink;
using namespace std::chrono_literals;
using Kind = Event::Kind;

namespace {

struct Listener {
  Loop loop = *Loop::open();
  std::vector<Event> events{};
  bool overrun = false;
  std::optional<Monitor> monitor{};

  explicit Listener(int buffer = kMonitorBytes) {
    auto m = Monitor::open(
        loop,
        [this](const Heard& h) {
          events.insert(events.end(), h.events.begin(), h.events.end());
          overrun = overrun || h.overrun;
        },
        buffer);
    REQUIRE(m);
    monitor.emplace(std::move(*m));
  }
  void listen() { run_until_quiet(loop); }
  bool heard(auto like) { return std::ranges::any_of(events, like); }
};

std::vector<RouteChange> many_routes(IfIndex device, uint32_t n) {
  std::vector<RouteChange> changes;
  for (uint32_t i = 0; i < n; ++i)
    changes.push_back({.kind = RouteChange::Kind::add,
                       .route = {.destination = Prefix::host(Address::v4(0x0a000000 + i)),
                                 .table = kDefaultTable,
                                 .device = device,
                                 .protocol = kRouteProtocol}});
  return changes;
}

}  // namespace

TEST_CASE("each kind of change is heard, with who caused it") {
  auto s = route_socket();
  Listener l;
  const auto link = create_link(s, "wgn0", "veth").value();
  REQUIRE(set_state(s, link.index, LinkState::up));
  const LinkAddress address{.link = link.index,
                            .address = *InterfaceAddress::parse("100.64.0.5/16")};
  REQUIRE(add_address(s, address));
  const Route route{.destination = *Prefix::parse("10.0.0.0/8"),
                    .table = kDefaultTable,
                    .device = link.index,
                    .protocol = kRouteProtocol};
  REQUIRE(add_route(s, route));
  const Rule rule{.family = Family::v6,
                  .priority = 105,
                  .table = kDefaultTable,
                  .protocol = kRouteProtocol};
  REQUIRE(add_rule(s, rule));
  REQUIRE(remove_rule(s, rule));
  REQUIRE(delete_link(s, link.index));
  l.listen();

  CHECK_FALSE(l.overrun);
  CHECK(l.heard([&](const Event& e) {
    return e.kind == Kind::link && e.link == link.index && e.name == "wgn0" && e.up;
  }));
  CHECK(l.heard([&](const Event& e) {
    return e.kind == Kind::link && e.link == link.index && e.removed;
  }));
  CHECK(l.heard([&](const Event& e) {
    return e.kind == Kind::address && e.link == link.index && !e.removed &&
           e.by == s.port();
  }));
  CHECK(l.heard([&](const Event& e) {
    return e.kind == Kind::route && e.table == kDefaultTable &&
           e.protocol == kRouteProtocol && e.link == link.index && e.by == s.port();
  }));
  for (const bool removed : {false, true})
    CHECK(l.heard([&](const Event& e) {
      return e.kind == Kind::rule && e.removed == removed && e.priority == 105 &&
             e.protocol == kRouteProtocol && e.table == kDefaultTable && e.by == s.port();
    }));
}

TEST_CASE("a foreign hand is told from ours") {
  auto s = route_socket();
  const Veth veth(s, "va");
  Listener l;
  run("ip address add 10.9.9.9/32 dev va");
  l.listen();
  CHECK(l.heard([&](const Event& e) {
    return e.kind == Kind::address && e.link == veth.index() && e.by != s.port();
  }));
}

TEST_CASE("a sysctl that turns forwarding on is told, whoever wrote it") {
  auto s = route_socket();
  const Veth veth(s, "va");
  Listener l;
  run("sysctl -qw net.ipv4.conf.va.forwarding=1 net.ipv6.conf.va.forwarding=1");
  l.listen();
  CHECK(std::ranges::count_if(l.events, [&](const Event& e) {
          return e.kind == Kind::settings && e.link == veth.index() && !e.removed;
        }) == 2);
}

TEST_CASE("a burst that does not fit is an overrun, and later changes are heard again") {
  auto s = route_socket();
  const Veth veth(s, "va");
  REQUIRE(set_state(s, veth.index(), LinkState::up));
  Listener l(4096);
  REQUIRE(change_routes(s, many_routes(veth.index(), 2000)).value().empty());
  l.listen();
  CHECK(l.overrun);
  CHECK(l.events.size() < 2000);
  CHECK(list_routes(s, kDefaultTable).value().size() == 2000);

  l.overrun = false;
  l.events.clear();
  REQUIRE(set_mtu(s, veth.index(), 1300));
  l.listen();
  CHECK_FALSE(l.overrun);
  CHECK(l.heard([&](const Event& e) { return e.kind == Kind::link; }));
}

TEST_CASE("a burst of 1,000 changes fits") {
  auto s = route_socket();
  const Veth veth(s, "va");
  REQUIRE(set_state(s, veth.index(), LinkState::up));
  Listener l;
  REQUIRE(change_routes(s, many_routes(veth.index(), 1000)).value().empty());
  l.listen();
  CHECK_FALSE(l.overrun);
  CHECK(std::ranges::count(l.events, Kind::route, &Event::kind) == 1000);
}

TEST_CASE("the callback may end the monitor") {
  auto s = route_socket();
  const Veth veth(s, "va");
  auto loop = *Loop::open();
  std::optional<Monitor> monitor;
  int calls = 0;
  auto opened = Monitor::open(loop, [&](const Heard&) {
    ++calls;
    monitor.reset();
  });
  REQUIRE(opened);
  monitor.emplace(std::move(*opened));
  REQUIRE(set_mtu(s, veth.index(), 1300));
  for (int i = 0; i < 3; ++i) REQUIRE(loop.run_once(20ms));
  CHECK(calls == 1);
}
