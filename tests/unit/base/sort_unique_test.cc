// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/sort_unique.hh"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace wigeon;

TEST_CASE("a list is sorted and has each value once") {
  std::vector<std::string> list{"b", "a", "c", "a", "b"};
  sort_unique(list);
  CHECK(list == std::vector<std::string>{"a", "b", "c"});
  list.clear();
  sort_unique(list);
  CHECK(list.empty());
}

TEST_CASE("of values that a projection makes equal the first one stays") {
  using Pair = std::pair<int, std::string>;
  std::vector<Pair> list{{2, "x"}, {1, "z"}, {2, "a"}, {1, "y"}};
  sort_unique(list, &Pair::first);
  CHECK(list == std::vector<Pair>{{1, "z"}, {2, "x"}});
}
