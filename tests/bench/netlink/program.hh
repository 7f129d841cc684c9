// SPDX-License-Identifier: GPL-2.0-or-later
// What programs that measure have in common: their options, their parts one after the
// other, and what they print.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tests/bench/netlink/report.hh"

namespace wigeon::bench {

inline constexpr int kUsage = 2, kSkipped = 77;  // exit statuses

// --quick, --only LIST, --rounds N, --json FILE, in any order.
struct Options {
  bool quick = false;
  std::string only{}, json{};
  std::optional<size_t> rounds{};  // 1 to 1000
};
std::optional<Options> read_options(std::span<char* const> arguments);

// One of the names (a list) is in the other list, or that is empty.
bool wanted(std::string_view names, const std::string& only);

// Adds what the part measured, or why it could not, and prints it.
void measure_part(std::string_view name,
                  const std::function<Result<void>(Report&)>& measure, Report& report);

// The goals; all of it into the file, if there is one. The exit status.
int publish(const Report& report, const std::string& json);

}  // namespace wigeon::bench
