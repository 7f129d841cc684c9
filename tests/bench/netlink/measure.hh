// SPDX-License-Identifier: GPL-2.0-or-later
// Contenders measured in turns, so that what disturbs the machine disturbs all of them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.hh"

namespace wigeon::bench {

// CLOCK_MONOTONIC, in seconds.
double now();
// How long the call took; its failure.
Result<double> timed(const std::function<Result<void>()>& call);

struct Contender {
  std::string name{};
  // Prepares, does it once, and returns what counted: wall time in seconds.
  std::function<Result<double>()> run{};
};

struct Series {
  std::string name{};
  std::vector<double> seconds{};  // one for each round
};

double median(std::vector<double> values);
// (third quartile - first) / median; 0 for a single value.
double spread(std::vector<double> values);
// First and third quartile: the middle half lies between them.
struct Middle {
  double low = 0, high = 0;
};
Middle middle(std::vector<double> values);

// Round by round, each time beginning with another one.
Result<std::vector<Series>> alternate(size_t rounds, std::span<const Contender> all);

const Series& find(std::span<const Series> all, std::string_view name);
// a / b of each round.
std::vector<double> ratios(const Series& a, const Series& b);

}  // namespace wigeon::bench
