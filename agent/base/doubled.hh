// SPDX-License-Identifier: GPL-2.0-or-later
// The wait after failures in a row.
#pragma once

#include <algorithm>
#include <chrono>

namespace wigeon {

// After none `first`, and twice as long after each one more, up to `longest`.
constexpr std::chrono::microseconds doubled(std::chrono::microseconds first,
                                            unsigned failures,
                                            std::chrono::microseconds longest) {
  constexpr unsigned kMostDoublings = 16;
  return std::min(first * (1U << std::min(failures, kMostDoublings)), longest);
}

}  // namespace wigeon
