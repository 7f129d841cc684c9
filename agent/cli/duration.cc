// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/duration.hh"

#include <array>

#include "agent/base/ip.hh"

namespace wigeon::cli {

using std::chrono::milliseconds;

Result<milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    milliseconds worth;
  };
  static constexpr std::array<Unit, 5> kUnits{{{"", std::chrono::seconds(1)},
                                               {"ms", milliseconds(1)},
                                               {"s", std::chrono::seconds(1)},
                                               {"m", std::chrono::minutes(1)},
                                               {"h", std::chrono::hours(1)}}};
  constexpr milliseconds kLongest = std::chrono::hours(24);
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  for (const auto& unit : kUnits) {
    if (unit.name != text.substr(digits.size())) continue;
    const auto n = parse_number(digits, static_cast<uint64_t>(kLongest.count()));
    if (!n || *n == 0 || unit.worth * static_cast<int64_t>(*n) > kLongest) break;
    return unit.worth * static_cast<int64_t>(*n);
  }
  return fail(EINVAL, "must be a duration like 30s, 500ms or 2m, up to 24h");
}

}  // namespace wigeon::cli
