// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/route_score.hh"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace wigeon;
using namespace std::chrono_literals;
using Why = RouteChoice::Why;

namespace {

RouteCandidate at(uint32_t metric, std::chrono::nanoseconds latency = 50ms) {
  return {metric, RoutePath{.connected = true, .latency = latency}};
}
RouteCandidate away(uint32_t metric) { return {metric, RoutePath{}}; }
RouteCandidate unknown(uint32_t metric) { return {metric, std::nullopt}; }

}  // namespace

TEST_CASE("the score is NetBird's") {
  struct Case {
    uint32_t metric;
    RoutePath path;
    double points;
  };
  const Case cases[] = {
      {9999, {.connected = true, .latency = 10ms}, 100001.99},
      {9999, {.connected = true, .direct = false, .latency = 10ms}, 100000.99},
      {9999, {.latency = 10ms}, 1.99},
      {9998, {.latency = 10ms}, 11.99},
      {100, {.connected = true, .latency = 250ms}, 198991.75},
      {0, {.direct = false, .latency = 1s}, 99990},
      {20000, {.direct = false, .latency = 1s}, 0},
      // Not known, and beyond a second.
      {9999, {.direct = false}, 0.001},
      {9999, {.direct = false, .latency = 1001ms}, 0.001},
      {9999, {.direct = false, .latency = 3600s}, 0.001},
      {9999, {.direct = false, .latency = -5ms}, 0.001},
  };
  for (const auto& c : cases) {
    CAPTURE(c.metric, c.points);
    CHECK(static_cast<double>(route_score(c.metric, c.path)) / kPoint ==
          Approx(c.points).epsilon(1e-12));
  }
}

TEST_CASE("connected beats metric, metric beats direct and latency") {
  const RoutePath far{.connected = true, .direct = false, .latency = 1s};
  const RoutePath near{.connected = false, .direct = true, .latency = 1ns};
  CHECK(route_score(9999, far) > route_score(0, near));
  RoutePath nearest = near;
  nearest.connected = true;
  for (uint32_t metric = 0; metric < 9999; ++metric)
    REQUIRE(route_score(metric, far) > route_score(metric + 1, nearest));
}

TEST_CASE("the best candidate is chosen, and kept unless another is clearly better") {
  struct Case {
    std::vector<RouteCandidate> candidates;
    std::optional<size_t> current, chosen;
    Why why;
  };
  const Case cases[] = {
      {{}, {}, {}, Why::none},
      {{unknown(1), unknown(2)}, 0, {}, Why::none},
      {{at(9999)}, {}, 0, Why::only},
      {{unknown(1), at(9999)}, {}, 1, Why::only},
      {{at(9999), at(9999)}, {}, 0, Why::best},
      {{at(9999), at(9999)}, 1, 1, Why::best},
      {{at(9999), at(100)}, 0, 1, Why::best},
      {{at(100), away(1)}, 1, 0, Why::best},
      {{away(100), away(1)}, {}, 1, Why::best},
      {{unknown(1), at(9999)}, 0, 1, Why::only},
      {{at(9999, 50ms), at(9999, 41ms)}, 0, 0, Why::kept},
      {{at(9999, 50ms), at(9999, 40ms)}, 0, 0, Why::kept},
      {{at(9999, 50ms), at(9999, 40ms - 1ns)}, 0, 1, Why::best},
      {{at(1, 50ms), at(1, 40ms)}, 0, 0, Why::kept},
      {{at(9999), at(9999)}, 7, 0, Why::best},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    CAPTURE(i);
    const auto choice = choose_route(cases[i].candidates, cases[i].current);
    CHECK(choice.index == cases[i].chosen);
    CHECK(choice.why == cases[i].why);
  }
}

TEST_CASE("latencies that jitter by 5 ms never move a network") {
  std::mt19937 random(1);
  std::uniform_int_distribution<int64_t> jitter(-5'000'000, 5'000'000);
  for (const uint32_t metric : {0u, 100u, 9999u}) {
    std::optional<size_t> current;
    size_t switches = 0;
    for (int i = 0; i < 10'000; ++i) {
      // The worst of it now and then: exactly the margin apart.
      const bool extreme = i % 100 == 50;
      const auto value = [&](int64_t worst) {
        return 50ms + std::chrono::nanoseconds(extreme ? worst : jitter(random));
      };
      const int64_t sign = i % 200 == 50 ? 1 : -1;
      const std::vector<RouteCandidate> candidates{at(metric, value(sign * 5'000'000)),
                                                   at(metric, value(-sign * 5'000'000)),
                                                   at(metric, value(0))};
      const auto choice = choose_route(candidates, current);
      if (current && choice.index != current) ++switches;
      current = choice.index;
    }
    CHECK(switches == 0);
  }
}
