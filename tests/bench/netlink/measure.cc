// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/measure.hh"

#include <algorithm>
#include <cassert>
#include <ctime>

namespace wigeon::bench {
namespace {

// Linear between neighbours.
double quantile(std::span<const double> sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

}  // namespace

double now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

Result<double> timed(const std::function<Result<void>()>& call) {
  const double start = now();
  TRY(call());
  return now() - start;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return quantile(values, 0.5);
}

Middle middle(std::vector<double> values) {
  std::ranges::sort(values);
  return {quantile(values, 0.25), quantile(values, 0.75)};
}

double spread(std::vector<double> values) {
  const auto [low, high] = middle(values);
  return (high - low) / median(std::move(values));
}

Result<std::vector<Series>> alternate(size_t rounds, std::span<const Contender> all) {
  std::vector<Series> series;
  series.reserve(all.size());
  for (const auto& c : all) series.push_back({.name = c.name});
  for (size_t round = 0; round < rounds; ++round)
    for (size_t i = 0; i < all.size(); ++i) {
      const size_t turn = (round + i) % all.size();
      auto seconds = all[turn].run();
      if (!seconds) return within(all[turn].name, std::move(seconds).error());
      series[turn].seconds.push_back(*seconds);
    }
  return series;
}

const Series& find(std::span<const Series> all, std::string_view name) {
  const auto at = std::ranges::find(all, name, &Series::name);
  assert(at != all.end());
  return *at;
}

std::vector<double> ratios(const Series& a, const Series& b) {
  assert(a.seconds.size() == b.seconds.size());
  std::vector<double> each;
  each.reserve(a.seconds.size());
  for (size_t i = 0; i < a.seconds.size(); ++i)
    each.push_back(a.seconds[i] / b.seconds[i]);
  return each;
}

}  // namespace wigeon::bench
