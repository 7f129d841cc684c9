// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wigeon::cli {

// Insertions, deletions, substitutions and swaps of neighbours between two words.
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that was probably meant, if one is near.
std::optional<std::string> suggest(std::string_view typed,
                                   const std::vector<std::string>& candidates);

}  // namespace wigeon::cli
