// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/doubled.hh"

#include <catch2/catch.hpp>
#include <limits>

using namespace wigeon;
using namespace std::chrono_literals;

TEST_CASE("a wait doubles with each failure in a row, up to the longest") {
  CHECK(doubled(500ms, 0, 30s) == 500ms);
  CHECK(doubled(500ms, 1, 30s) == 1s);
  CHECK(doubled(500ms, 5, 30s) == 16s);
  CHECK(doubled(500ms, 6, 30s) == 30s);
  CHECK(doubled(500ms, std::numeric_limits<unsigned>::max(), 30s) == 30s);
}
