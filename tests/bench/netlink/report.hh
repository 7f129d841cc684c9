// SPDX-License-Identifier: GPL-2.0-or-later
// What was measured, as a table and as JSON, and what it means for the goals.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/bench/netlink/measure.hh"

namespace wigeon::bench {

enum class Unit { seconds, count, bytes, ratio };

struct Value {
  std::string measure{};  // "10,000 peers, fresh"
  std::string name{};     // the contender
  Unit unit = Unit::seconds;
  double median = 0, least = 0, most = 0, spread = 0;
  size_t rounds = 1;
};

struct Goal {
  std::string id{};    // "W1"
  std::string what{};  // "ours ÷ raw"
  Unit unit = Unit::ratio;
  double measured = 0;
  double at_most = 0;
  // Of the rounds; none when there was one.
  std::optional<Middle> rounds{};
  [[nodiscard]] std::string_view verdict() const;  // met, not met
  // Whether the middle half of the rounds is on one side of the goal.
  [[nodiscard]] bool certain() const;
};

class Report {
 public:
  void add(const std::string& measure, std::span<const Series> series);
  void add(const std::string& measure, const std::string& name, Unit unit, double value);
  // ours ÷ baseline, the median of the rounds: what disturbs the machine for longer than
  // a round disturbs both.
  void goal(const std::string& id, const std::string& what, const Series& ours,
            const Series& baseline, double at_most);
  void goal(Goal g) { goals_.push_back(std::move(g)); }
  // Why a measure is not there, or what it contains.
  void remark(std::string text) { remarks_.push_back(std::move(text)); }

  // Takes over what another measured.
  void append(Report&& part);

  [[nodiscard]] std::string values_text() const;
  [[nodiscard]] std::string goals_text() const;
  [[nodiscard]] std::string json() const;

 private:
  std::vector<Value> values_{};
  std::vector<Goal> goals_{};
  std::vector<std::string> remarks_{};
};

}  // namespace wigeon::bench
