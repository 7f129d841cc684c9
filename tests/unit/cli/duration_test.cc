// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/duration.hh"

#include <catch2/catch.hpp>

using namespace wigeon::cli;
using namespace std::chrono_literals;

TEST_CASE("durations have a unit or are seconds") {
  CHECK(*parse_duration("5") == 5s);
  CHECK(*parse_duration("90s") == 90s);
  CHECK(*parse_duration("500ms") == 500ms);
  CHECK(*parse_duration("2m") == 2min);
  CHECK(*parse_duration("24h") == 24h);
}

TEST_CASE("what is not a duration is refused") {
  for (const char* text : {"", "s", "0", "-1", "1.5s", "5x", "25h", "1h30m", " 5", "5 s",
                           "99999999999999999999"})
    CHECK_FALSE(parse_duration(text));
}
