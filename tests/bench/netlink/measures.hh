// SPDX-License-Identifier: GPL-2.0-or-later
// Each fills the report with one set of goals (facts in tests/bench/README.md).
#pragma once

#include <string>

#include "tests/bench/netlink/report.hh"

namespace wigeon::bench {

struct Sizes {
  size_t rounds = 7;
  uint32_t few = 10, many = 10'000, most = 50'000;
  uint32_t routes = 10'000;
  // wg-quick needs minutes for more.
  uint32_t quick_peers = 1'000, quick_routes = 1'500;
  size_t quick_rounds = 1;
  uint32_t left = 500;  // peers on a link that is deleted
};

Result<void> measure_change(const Sizes& sizes, Report& to);     // W1, W2
Result<void> measure_load(const Sizes& sizes, Report& to);       // W4
Result<void> measure_removal(const Sizes& sizes, Report& to);    // W5
Result<void> measure_routes(const Sizes& sizes, Report& to);     // W8
Result<void> measure_map(const Sizes& sizes, Report& to);        // W3
Result<void> measure_tear_down(const Sizes& sizes, Report& to);  // W6
Result<void> measure_status(const Sizes& sizes, Report& to);     // W7
Result<void> measure_up(const Sizes& sizes, Report& to);         // W9
Result<void> measure_memory(const Sizes& sizes, Report& to);     // W10

}  // namespace wigeon::bench
