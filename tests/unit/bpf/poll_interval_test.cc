// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/poll_interval.hh"

#include <catch2/catch.hpp>
#include <limits>

using namespace std::chrono_literals;
using wigeon::bpf::poll_interval;

TEST_CASE("a cheap look is taken each second") {
  CHECK(poll_interval(0, 0ns) == 1s);
  CHECK(poll_interval(10, 40us) == 1s);
  CHECK(poll_interval(8'000, 5ms) == 1s);
}

TEST_CASE("a dear look takes at most half a per cent of a CPU") {
  CHECK(poll_interval(10'000, 6ms) == 1'200ms);
  CHECK(poll_interval(50'000, 30ms) == 6s);
  CHECK(poll_interval(10'000, 5'000'001ns) == 1'001ms);
}

TEST_CASE("no look is more than 30 s away, whatever it costs") {
  CHECK(poll_interval(1'000'000, 150ms) == 30s);
  CHECK(poll_interval(1'000'000, 1h) == 30s);
  CHECK(poll_interval(0, std::chrono::nanoseconds::max()) == 30s);
}

TEST_CASE("before the first look its cost is guessed from the number of peers") {
  CHECK(poll_interval(0, std::nullopt) == 1s);
  CHECK(poll_interval(1'000, std::nullopt) == 1s);
  CHECK(poll_interval(10'000, std::nullopt) == 1'400ms);
  CHECK(poll_interval(std::numeric_limits<size_t>::max(), std::nullopt) == 30s);
}

TEST_CASE("a clock that went backwards makes no negative interval") {
  CHECK(poll_interval(10'000, -1h) == 1s);
}
