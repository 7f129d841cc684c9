// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/prefix_cover.hh"

#include <catch2/catch.hpp>
#include <random>

#include "agent/model/coverage.hh"

using namespace wigeon;

namespace {
Prefix p(std::string_view text) { return *Prefix::parse(text); }
}  // namespace

TEST_CASE("a cover finds what contains and what overlaps") {
  const PrefixCover c({{p("10.0.0.0/8"), 1},
                       {p("10.1.0.0/16"), 2},
                       {p("192.0.2.0/24"), 3},
                       {p("fd00::/8"), 4}});
  CHECK(c.containing(*Address::parse("10.1.2.3"))->tag == 1);
  CHECK(c.containing(*Address::parse("fd00::1"))->tag == 4);
  CHECK_FALSE(c.containing(*Address::parse("11.0.0.0")));
  CHECK_FALSE(c.containing(p("0.0.0.0/0")));
  CHECK(c.overlapping(p("0.0.0.0/0"))->tag == 1);
  CHECK(c.overlapping(p("192.0.0.0/16"))->tag == 3);
  CHECK_FALSE(c.overlapping(p("192.0.3.0/24")));
  CHECK(c.overlapping(p("::/0"))->tag == 4);
  CHECK_FALSE(PrefixCover().overlapping(p("::/0")));
}

TEST_CASE("a cover agrees with trying every network") {
  std::mt19937 random(1);
  const auto any = [&] {
    return *Prefix::make(Address::v4(static_cast<uint32_t>(random() & 0x0f0f0f00)),
                         static_cast<int>(random() % 33));
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<PrefixCover::Entry> entries;
    for (size_t i = random() % 8; i > 0; --i) {
      auto e = any();
      if (e.bits() >= 4) entries.push_back({e, i});
    }
    const PrefixCover cover(entries);
    for (int i = 0; i < 50; ++i) {
      const auto q = any();
      const auto contains = [&](const auto& e) { return e.prefix.contains(q); };
      const auto overlaps = [&](const auto& e) { return e.prefix.overlaps(q); };
      CHECK((cover.containing(q) != nullptr) == std::ranges::any_of(entries, contains));
      CHECK((cover.overlapping(q) != nullptr) == std::ranges::any_of(entries, overlaps));
    }
  }
}

TEST_CASE("coverage counts what networks share only once, and stops at half") {
  Coverage v4;
  CHECK(v4.add_within_half(p("10.0.0.0/8")));
  CHECK(v4.add_within_half(p("0.0.0.0/1")));  // holds 10/8: exactly half
  CHECK_FALSE(v4.add_within_half(p("128.0.0.0/1")));
  CHECK_FALSE(v4.add_within_half(p("0.0.0.0/0")));
  Coverage with_one_more;
  CHECK(with_one_more.add_within_half(p("200.0.0.1/32")));
  CHECK_FALSE(with_one_more.add_within_half(p("0.0.0.0/1")));
}

TEST_CASE("the whole of IPv6 is its global unicast") {
  Coverage v6;
  CHECK(v6.add_within_half(p("fd00::/8")));
  CHECK(v6.add_within_half(p("2000::/4")));
  CHECK_FALSE(v6.add_within_half(p("3000::/4")));
  CHECK_FALSE(v6.add_within_half(p("2000::/3")));
  CHECK_FALSE(v6.add_within_half(p("::/0")));
}
