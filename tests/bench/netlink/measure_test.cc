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
  CHECK(ratio({"ours", {1, 10, 100}}, {"other", {2, 20, 200}}) == 0.5);
}

TEST_CASE("there is no verdict over a baseline that varied by more than 15 %") {
  const Series steady{"steady", {100, 100, 101, 101, 100}};
  const Series noisy{"noisy", {60, 80, 100, 120, 140}};
  const Series ours{"ours", {50, 50, 50, 50, 50}};
  Report r;
  r.goal("A", "met", ours, steady, 0.6);
  r.goal("B", "missed", ours, steady, 0.4);
  r.goal("C", "noisy", ours, noisy, 0.9);
  const auto goals = nlohmann::json::parse(r.json()).at("goals");
  CHECK(goals.at(0).at("verdict") == "met");
  CHECK(goals.at(1).at("verdict") == "missed");
  CHECK(goals.at(2).at("verdict") == "noisy");
  CHECK(r.goals_text().contains("noisy (the baseline varied by 40 %)"));
}
