// SPDX-License-Identifier: GPL-2.0-or-later
// A list as a sorted set.
#pragma once

#include <algorithm>

namespace wigeon {

void sort_unique(auto& list) {
  std::ranges::sort(list);
  const auto again = std::ranges::unique(list);
  list.erase(again.begin(), again.end());
}

// By what `by` makes of each; of equals the first one stays.
void sort_unique(auto& list, auto by) {
  std::ranges::stable_sort(list, {}, by);
  const auto again = std::ranges::unique(list, {}, by);
  list.erase(again.begin(), again.end());
}

}  // namespace wigeon
