// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/measure.hh"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/bench/netlink/report.hh"

using namespace wigeon;
using namespace wigeon::bench;

TEST_CASE(
    "the spread is that of the middle half, so one disturbed round does not count") {
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, 3}) == 2.5);
  CHECK(spread({7}) == 0);
  CHECK(spread({10, 10, 10, 10, 1000}) == 0);
  CHECK(spread({8, 9, 10, 11, 12}) == Approx(0.2));
}

TEST_CASE("contenders take turns, each round beginning with another one") {
  std::string order;
  const auto contender = [&](const std::string& name) {
    return Contender{name, [&order, name]() -> Result<double> {
                       order += name;
                       return 1.0;
                     }};
  };
  const std::vector all{contender("a"), contender("b"), contender("c")};
  const auto series = alternate(3, all);
  REQUIRE(series);
  CHECK(order == "abcbcacab");
  CHECK(find(*series, "b").seconds.size() == 3);
}

TEST_CASE("a contender that fails ends the measure and is named") {
  const std::vector<Contender> all{{"broken", [] { return fail(EIO, "no disk"); }}};
  const auto series = alternate(3, all);
  REQUIRE_FALSE(series);
  CHECK(series.error().what == "broken: no disk");
}

TEST_CASE("a ratio is taken round by round") {
  CHECK(ratios({"ours", {1, 10, 90}}, {"other", {2, 20, 100}}) ==
        std::vector{0.5, 0.5, 0.9});
}

TEST_CASE("a verdict is certain when the middle half of the rounds agrees with it") {
  const Series baseline{"baseline", {100, 200, 100, 400, 100}};
  const Series steady{"steady", {50, 100, 50, 200, 50}};  // disturbed together
  const Series loose{"loose", {60, 200, 80, 320, 120}};
  Report r;
  r.goal("A", "met", steady, baseline, 0.5);
  r.goal("B", "missed", steady, baseline, 0.4);
  r.goal("C", "loose", loose, baseline, 0.9);
  const auto goals = nlohmann::json::parse(r.json()).at("goals");
  CHECK(goals.at(0).at("verdict") == "met");
  CHECK(goals.at(0).at("certain") == true);
  CHECK(goals.at(1).at("verdict") == "not met");
  CHECK(goals.at(1).at("certain") == true);
  CHECK(goals.at(2).at("verdict") == "met");
  CHECK(goals.at(2).at("certain") == false);
  CHECK(r.goals_text().contains(
      "met, not certain: half of the rounds from 0.800 to 1.000"));
}
