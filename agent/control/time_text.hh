// SPDX-License-Identifier: GPL-2.0-or-later
// Times and durations as Go writes them, which NetBird's JSON and YAML do.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon {

// "2001-01-01T01:01:01.5Z"; the epoch, which means never, is "0001-01-01T00:00:00Z".
std::string rfc3339(std::chrono::system_clock::time_point t);
// Any offset and up to nine digits of a second; years before 1970 mean never. EINVAL
// otherwise.
Result<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

// "1h2m3.5s", "10ms", "1.5µs", "0s": at most the precision there is, no trailing zeros.
std::string go_duration(std::chrono::nanoseconds d);

}  // namespace wigeon
