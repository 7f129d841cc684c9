// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/print.hh"

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace wigeon::cli;
using namespace std::chrono_literals;

TEST_CASE("how long ago is said in two units") {
  const WallTime now{1'000'000'000s};
  const std::vector<std::pair<std::chrono::milliseconds, std::string>> table{
      {-5s, "Now"},
      {0s, "Now"},
      {999ms, "Now"},
      {1s, "1 second ago"},
      {59s, "59 seconds ago"},
      {60s, "1 minute ago"},
      {61s, "1 minute, 1 second ago"},
      {90s, "1 minute, 30 seconds ago"},
      {120s, "2 minutes ago"},
      {3599s, "59 minutes, 59 seconds ago"},
      {1h, "1 hour ago"},
      {1h + 1min + 59s, "1 hour, 1 minute ago"},
      {2h + 30min, "2 hours, 30 minutes ago"},
      {24h, "1 day ago"},
      {25h + 59min, "1 day, 1 hour ago"},
      {51h, "2 days, 3 hours ago"},
      {24h * 400, "400 days ago"},
  };
  for (const auto& [ago, text] : table) CHECK(time_ago(now - ago, now) == text);
  CHECK(time_ago(kNever, now) == "-");
}

TEST_CASE("what remains is said shortly") {
  const std::vector<std::pair<std::chrono::milliseconds, std::string>> table{
      {0s, "1s"}, {500ms, "1s"},          {45s, "45s"}, {47min + 10s, "47m"},
      {2h, "2h"}, {2h + 15min, "2h 15m"}, {24h, "1d"},  {51h + 5min, "2d 3h"},
  };
  for (const auto& [d, text] : table) CHECK(remaining(d) == text);
}

TEST_CASE("bytes have IEC units and one decimal") {
  const std::vector<std::pair<uint64_t, std::string>> table{
      {0, "0 B"},
      {200, "200 B"},
      {1000, "1000 B"},
      {1023, "1023 B"},
      {1024, "1.0 KiB"},
      {2000, "2.0 KiB"},
      {1536, "1.5 KiB"},
      {5u << 20, "5.0 MiB"},
      {uint64_t{7} << 30, "7.0 GiB"},
      {uint64_t{1} << 40, "1.0 TiB"},
      {UINT64_MAX, "16.0 EiB"},
  };
  for (const auto& [n, text] : table) CHECK(bytes_text(n) == text);
}

TEST_CASE("control characters do not reach the terminal") {
  CHECK(plain("a\x1b[31m\nb\x7f") == "a?[31m?b?");
  CHECK(plain("µ") == "µ");
}

TEST_CASE("painting adds colours and nothing else") {
  CHECK(paint("a\n  Status: Connected\nDegraded: x\n") ==
        "a\n  Status: \x1b[32mConnected\x1b[0m\nDegraded: \x1b[33mx\x1b[0m\n");
  CHECK(paint("") == "");
  CHECK(paint("  Status: Idle") == "  Status: Idle");
}
