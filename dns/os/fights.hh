// SPDX-License-Identifier: GPL-2.0-or-later
// How often something of ours that somebody else keeps changing is put right: five times
// in a minute, then not before a whole minute has passed without a change. Pure: time is
// an argument.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

namespace wigeon::dns::os {

class Fights {
 public:
  using Time = std::chrono::microseconds;  // Loop::now()
  static constexpr size_t kMost = 5;
  static constexpr std::chrono::seconds kWindow{60};

  // Somebody changed it again. True: put it right; it counts.
  bool changed(Time now);
  // While given up: when to try again, if nothing happens until then.
  [[nodiscard]] std::optional<Time> rest_until() const;
  // True when that time has come; then it begins anew.
  bool rested(Time now);
  [[nodiscard]] bool given_up() const { return last_.has_value(); }
  [[nodiscard]] unsigned repairs() const { return repairs_; }  // since the start

 private:
  std::deque<Time> recent_{};
  std::optional<Time> last_{};  // the last change since we gave up
  unsigned repairs_ = 0;
};

}  // namespace wigeon::dns::os
