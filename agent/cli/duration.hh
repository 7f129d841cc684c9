// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon::cli {

// "90", "90s", "500ms", "2m", "1h": a whole number and a unit, seconds without one; from
// one millisecond to a day.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace wigeon::cli
