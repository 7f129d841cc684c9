// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/route_score.hh"

namespace wigeon {

using namespace std::chrono_literals;

int64_t route_score(uint32_t metric, const RoutePath& path) {
  const auto known = path.latency > 0ns && path.latency <= 1s;
  const std::chrono::nanoseconds latency = known ? path.latency : 999ms;
  int64_t score = kPoint - latency.count();
  if (metric < kNoMetric) score += int64_t{kNoMetric - metric} * 10 * kPoint;
  if (path.connected) score += 100'000 * kPoint;
  if (path.direct) score += kPoint;
  return score;
}

RouteChoice choose_route(std::span<const RouteCandidate> candidates,
                         std::optional<size_t> current) {
  RouteChoice choice;
  int64_t best = 0;
  size_t usable = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i].path) continue;
    const auto score = route_score(candidates[i].metric, *candidates[i].path);
    if (usable++ > 0 && score <= best) continue;
    best = score;
    choice.index = i;
  }
  if (usable == 0) return choice;
  choice.why = usable == 1 ? RouteChoice::Why::only : RouteChoice::Why::best;
  if (!current || *current >= candidates.size() || !candidates[*current].path)
    return choice;
  const auto& in_use = candidates[*current];
  const auto gain = best - route_score(in_use.metric, *in_use.path);
  if (gain > kSwitchMargin) return choice;
  choice.index = current;
  if (gain > 0) choice.why = RouteChoice::Why::kept;
  return choice;
}

}  // namespace wigeon
