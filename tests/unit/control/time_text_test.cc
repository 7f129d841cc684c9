// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/time_text.hh"

#include <catch2/catch.hpp>
#include <limits>

using namespace wigeon;
using namespace std::chrono_literals;

TEST_CASE("durations print as Go prints them") {
  CHECK(go_duration(0ns) == "0s");
  CHECK(go_duration(1ns) == "1ns");
  CHECK(go_duration(1500ns) == "1.5µs");
  CHECK(go_duration(10ms) == "10ms");
  CHECK(go_duration(15432100ns) == "15.4321ms");
  CHECK(go_duration(1s) == "1s");
  CHECK(go_duration(90s) == "1m30s");
  CHECK(go_duration(1h) == "1h0m0s");
  CHECK(go_duration(26h + 3min + 1500ms) == "26h3m1.5s");
  CHECK(go_duration(-2s) == "-2s");
  CHECK(go_duration(std::chrono::nanoseconds(std::numeric_limits<int64_t>::min())) ==
        "-2562047h47m16.854775808s");
}

TEST_CASE("a time survives printing and parsing") {
  for (const std::string text :
       {"2001-01-01T01:01:01Z", "2024-02-29T23:59:59.5Z",
        "1999-12-31T00:00:00.000000001Z", "2261-12-31T23:59:59Z"}) {
    const auto t = parse_rfc3339(text);
    REQUIRE(t);
    CHECK(rfc3339(*t) == text);
  }
}

TEST_CASE("offsets are taken off and never is never") {
  CHECK(rfc3339(*parse_rfc3339("2025-04-17T14:33:33+02:00")) == "2025-04-17T12:33:33Z");
  CHECK(rfc3339(*parse_rfc3339("2025-04-17T14:33:33-02:30")) == "2025-04-17T17:03:33Z");
  CHECK(*parse_rfc3339("0001-01-01T00:00:00Z") ==
        std::chrono::system_clock::time_point{});
  CHECK(rfc3339({}) == "0001-01-01T00:00:00Z");
}

TEST_CASE("what is not a time is refused") {
  for (const std::string text :
       {"", "2001", "2001-01-01", "2001-01-01T01:01:01", "2001-13-01T01:01:01Z",
        "2001-02-30T01:01:01Z", "2001-01-01T24:01:01Z", "2001-01-01T01:01:01.Z",
        "2001-01-01T01:01:01.1234567890Z", "2001-01-01T01:01:01Zx",
        "9999-01-01T00:00:00Z", "2001-01-01T01:01:01+25:00", "-001-01-01T01:01:01Z"})
    CHECK_FALSE(parse_rfc3339(text));
}
