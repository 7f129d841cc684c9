// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/kernel_watch.hh"

#include <catch2/catch.hpp>

#include "agent/base/marks.hh"
#include "agent/daemon/repair_budget.hh"

using namespace wigeon;
using namespace std::chrono_literals;
using netlink::Event;

namespace {

constexpr uint32_t kOwnPort = 77;
const std::optional<Link> kLink = Link{.index = IfIndex{7}, .name = "wt0"};

Touched after(const Event& e) {
  return touched_by({.events = {e}}, "wt0", kLink, kOwnPort, kDefaultTable);
}

}  // namespace

TEST_CASE("events touch what they are about") {
  CHECK(after({.kind = Event::Kind::link, .link = IfIndex{7}, .name = "wt0"}).ours ==
        Part::link);
  CHECK(after({.kind = Event::Kind::address, .link = IfIndex{7}}).ours ==
        (Part::addresses | Part::routes));
  CHECK(after({.kind = Event::Kind::route, .table = 254, .protocol = kRouteProtocol})
            .ours == Part::routes);
  CHECK(after({.kind = Event::Kind::rule, .protocol = kRouteProtocol}).ours ==
        Part::rules);
  CHECK(after({.kind = Event::Kind::settings, .link = IfIndex{2}}).ours == Part::sysctls);
  CHECK_FALSE(
      after({.kind = Event::Kind::settings, .removed = true, .link = IfIndex{2}}).any());
}

TEST_CASE("events of the rest of the host touch nothing of ours") {
  const auto address = after({.kind = Event::Kind::address, .link = IfIndex{2}});
  CHECK(address.ours.empty());
  CHECK(address.host_links);
  const auto route = after({.kind = Event::Kind::route, .table = 254, .protocol = 3});
  CHECK(route.ours.empty());
  CHECK(route.host_routes);
  CHECK_FALSE(after({.kind = Event::Kind::route, .table = 52, .protocol = 3}).any());
  // Somebody else's full tunnel may have come.
  const auto rule = after({.kind = Event::Kind::rule, .protocol = 3});
  CHECK(rule.ours.empty());
  CHECK(rule.host_links);
  // Whether the full tunnel may have its table.
  const auto table =
      after({.kind = Event::Kind::route, .table = kDefaultTable, .protocol = 3});
  CHECK(table.ours.empty());
  CHECK(table.host_routes);
}

TEST_CASE("our own doing touches nothing, and an overrun everything") {
  CHECK_FALSE(
      after({.kind = Event::Kind::link, .by = kOwnPort, .link = IfIndex{7}}).any());
  const auto all = touched_by({.overrun = true}, "wt0", kLink, kOwnPort, kDefaultTable);
  CHECK(all.ours == Parts::all());
  CHECK(all.host_links);
  CHECK(all.host_routes);
}

TEST_CASE("a foreign link that gives our name free is told") {
  CHECK(after({.kind = Event::Kind::link, .removed = true, .name = "wt0"}).name_free);
  CHECK_FALSE(
      after({.kind = Event::Kind::link, .removed = true, .name = "wg0"}).name_free);
}

TEST_CASE("ten repairs go at once, then one each three seconds") {
  RepairBudget b;
  auto now = std::chrono::microseconds(1h);
  for (int i = 0; i < 10; ++i) {
    CHECK(b.wait(now) == 0us);
    b.spend(now);
  }
  CHECK(b.wait(now) == 3s);
  now += 1s;
  CHECK(b.wait(now) == 2s);
  now += 2s;
  CHECK(b.wait(now) == 0us);
  b.spend(now);
  CHECK(b.wait(now) == 3s);
  CHECK(b.wait(now + 1h) == 0us);
}
