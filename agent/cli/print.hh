// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers and times as NetBird's `status` words them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/control/status.hh"

namespace wigeon::cli {

// "Now", "1 minute, 30 seconds ago", "2 days, 1 hour ago"; "-" for never.
std::string time_ago(WallTime t, WallTime now);

// "45s", "47m", "2h 15m", "2d 3h"; one second at least.
std::string remaining(std::chrono::nanoseconds d);

// "200 B", "2.0 KiB".
std::string bytes_text(uint64_t bytes);

// "a, b"; `none` when there are no items.
std::string joined(const std::vector<std::string>& items, std::string_view none = "");

// A copy whose control characters are '?', so that a name or an error from elsewhere can
// neither begin a line of its own nor move the cursor.
std::string plain(std::string_view s);

// Colours on the words that matter. Nothing else changes.
std::string paint(std::string_view text);

}  // namespace wigeon::cli
