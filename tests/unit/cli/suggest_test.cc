// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/suggest.hh"

#include <catch2/catch.hpp>

using namespace wigeon::cli;

TEST_CASE("distance counts edits and swaps") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "up") == 2);
  CHECK(edit_distance("status", "status") == 0);
  CHECK(edit_distance("statsu", "status") == 1);
  CHECK(edit_distance("sttus", "status") == 1);
  CHECK(edit_distance("statuss", "status") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("only a near word is suggested") {
  const std::vector<std::string> words{"up", "down", "status", "version", "config"};
  CHECK(suggest("statsu", words) == "status");
  CHECK(suggest("stat", words) == "status");
  CHECK(suggest("donw", words) == "down");
  CHECK(suggest("pu", words) == "up");
  CHECK(suggest("frobnicate", words) == std::nullopt);
  CHECK(suggest("", words) == std::nullopt);
  CHECK(suggest(std::string(100000, 's'), words) == std::nullopt);
}
