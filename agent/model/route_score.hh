// SPDX-License-Identifier: GPL-2.0-or-later
// Which of several routing peers a network goes through: NetBird's score. Pure.
//   (9999 - metric) * 10     of a metric below 9999
//   + 1 - latency in s       0 (not known) and more than 1 s count as 0.999
//   + 100000                 connected
//   + 1                      direct
// Scores are whole numbers of 10^-9 points: latencies are nanoseconds, and in floating
// point two latencies exactly the margin apart would at times be more than it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

namespace wigeon {

inline constexpr uint32_t kNoMetric = 9999;
inline constexpr int64_t kPoint = 1'000'000'000;
inline constexpr int64_t kSwitchMargin = kPoint / 100;

struct RoutePath {
  bool connected = false;
  bool direct = true;  // ours always are
  std::chrono::nanoseconds latency{};
};

struct RouteCandidate {
  uint32_t metric = kNoMetric;      // lower is better
  std::optional<RoutePath> path{};  // none: nothing is known of its peer
};

struct RouteChoice {
  enum class Why {
    none,  // no candidate has a path
    only,  // the only one that has
    best,
    kept,  // another is better, but not by more than kSwitchMargin
  };
  std::optional<size_t> index{};
  Why why = Why::none;
};

int64_t route_score(uint32_t metric, const RoutePath& path);

// current: index of the one in use. Of equals the first.
RouteChoice choose_route(std::span<const RouteCandidate> candidates,
                         std::optional<size_t> current);

}  // namespace wigeon
