// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/report.hh"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace wigeon::bench {
namespace {

std::string shown(double value, Unit unit) {
  switch (unit) {
    case Unit::seconds:
      if (value < 1e-3) return fmt::format("{:.1f} us", value * 1e6);
      if (value < 1) return fmt::format("{:.2f} ms", value * 1e3);
      return fmt::format("{:.3f} s", value);
    case Unit::count:
      return fmt::format("{:.0f}", value);
    case Unit::bytes:
      return fmt::format("{:.0f} B", value);
    case Unit::ratio:
      return value > 0 && value < 0.02 ? fmt::format("1/{:.0f}", 1 / value)
                                       : fmt::format("{:.3f}", value);
  }
  return {};
}

std::string_view name(Unit unit) {
  switch (unit) {
    case Unit::seconds:
      return "seconds";
    case Unit::count:
      return "count";
    case Unit::bytes:
      return "bytes";
    case Unit::ratio:
      return "ratio";
  }
  return {};
}

}  // namespace

std::string_view Goal::verdict() const { return measured <= at_most ? "met" : "not met"; }

bool Goal::certain() const {
  return !rounds || rounds->high <= at_most || rounds->low > at_most;
}

void Report::add(const std::string& measure, std::span<const Series> series) {
  for (const auto& s : series)
    values_.push_back({.measure = measure,
                       .name = s.name,
                       .median = median(s.seconds),
                       .least = std::ranges::min(s.seconds),
                       .most = std::ranges::max(s.seconds),
                       .spread = spread(s.seconds),
                       .rounds = s.seconds.size()});
}

void Report::add(const std::string& measure, const std::string& name, Unit unit,
                 double value) {
  values_.push_back({.measure = measure,
                     .name = name,
                     .unit = unit,
                     .median = value,
                     .least = value,
                     .most = value});
}

void Report::goal(const std::string& id, const std::string& what, const Series& ours,
                  const Series& baseline, double at_most) {
  const auto each = ratios(ours, baseline);
  goals_.push_back({.id = id,
                    .what = what,
                    .measured = median(each),
                    .at_most = at_most,
                    .rounds = middle(each)});
}

void Report::append(Report&& part) {
  std::ranges::move(part.values_, std::back_inserter(values_));
  std::ranges::move(part.goals_, std::back_inserter(goals_));
  std::ranges::move(part.remarks_, std::back_inserter(remarks_));
}

std::string Report::values_text() const {
  std::string t;
  const auto to = std::back_inserter(t);
  std::string_view measure;
  for (const auto& v : values_) {
    if (v.measure != measure) {
      measure = v.measure;
      fmt::format_to(to, "\n{:<44}{:>12}{:>12}{:>12}{:>8}{:>4}\n", measure, "median",
                     "least", "most", "spread", "n");
    }
    fmt::format_to(to, "  {:<42}{:>12}", v.name, shown(v.median, v.unit));
    if (v.rounds > 1)
      fmt::format_to(to, "{:>12}{:>12}{:>7.0f}%{:>4}", shown(v.least, v.unit),
                     shown(v.most, v.unit), v.spread * 100, v.rounds);
    t += '\n';
  }
  return t;
}

std::string Report::goals_text() const {
  std::string t;
  const auto to = std::back_inserter(t);
  if (!goals_.empty())
    fmt::format_to(to, "\n{:<5}{:<52}{:>12}{:>12}  {}\n", "goal", "", "at most",
                   "measured", "verdict");
  for (const auto& g : goals_) {
    fmt::format_to(to, "{:<5}{:<52}{:>12}{:>12}  {}", g.id, g.what,
                   shown(g.at_most, g.unit), shown(g.measured, g.unit), g.verdict());
    if (!g.certain())
      fmt::format_to(to, ", not certain: half of the rounds from {} to {}",
                     shown(g.rounds->low, g.unit), shown(g.rounds->high, g.unit));
    t += '\n';
  }
  if (!remarks_.empty()) t += '\n';
  for (const auto& r : remarks_) fmt::format_to(to, "* {}\n", r);
  return t;
}

std::string Report::json() const {
  utsname system{};
  (void)::uname(&system);
  nlohmann::json all{{"kernel", system.release},
                     {"cpus", ::sysconf(_SC_NPROCESSORS_ONLN)},
                     {"values", nlohmann::json::array()},
                     {"goals", nlohmann::json::array()},
                     {"remarks", remarks_}};
  for (const auto& v : values_)
    all["values"].push_back({{"measure", v.measure},
                             {"name", v.name},
                             {"unit", name(v.unit)},
                             {"median", v.median},
                             {"least", v.least},
                             {"most", v.most},
                             {"spread", v.spread},
                             {"rounds", v.rounds}});
  for (const auto& g : goals_)
    all["goals"].push_back({{"id", g.id},
                            {"what", g.what},
                            {"unit", name(g.unit)},
                            {"atMost", g.at_most},
                            {"measured", g.measured},
                            {"verdict", g.verdict()},
                            {"certain", g.certain()}});
  return all.dump(2) + "\n";
}

}  // namespace wigeon::bench
