// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/suggest.hh"

#include <algorithm>

namespace wigeon::cli {
namespace {

constexpr size_t kLongestWord = 64;  // nobody mistypes more than that
constexpr size_t kFarthest = 3;

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::optional<std::string> suggest(std::string_view typed,
                                   const std::vector<std::string>& candidates) {
  if (typed.size() > kLongestWord) return std::nullopt;
  std::optional<std::string> best;
  size_t least = std::min(kFarthest, typed.size() / 2) + 1;
  for (const auto& candidate : candidates) {
    const size_t distance = typed.size() >= 3 && candidate.starts_with(typed)
                                ? 1
                                : edit_distance(typed, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace wigeon::cli
