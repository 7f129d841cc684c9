// SPDX-License-Identifier: GPL-2.0-or-later
// How fast what others change is put right: at once as a rule, slower against somebody
// who does it again and again. A token bucket over any clock.
#pragma once

#include <algorithm>
#include <chrono>

namespace wigeon {

class RepairBudget {
 public:
  static constexpr unsigned kAtOnce = 10;
  static constexpr std::chrono::seconds kOneEach{3};

  // A repair was made.
  void spend(std::chrono::microseconds now) {
    refill(now);
    left_ -= std::min(left_, kFull / kAtOnce);
  }
  // How long the next one has to wait.
  [[nodiscard]] std::chrono::microseconds wait(std::chrono::microseconds now) {
    refill(now);
    return left_ >= kOneEach ? std::chrono::microseconds(0) : kOneEach - left_;
  }

 private:
  static constexpr std::chrono::microseconds kFull = kOneEach * kAtOnce;

  void refill(std::chrono::microseconds now) {
    left_ = std::min(kFull, left_ + (now - at_));
    at_ = now;
  }
  std::chrono::microseconds left_ = kFull;
  std::chrono::microseconds at_{};
};

}  // namespace wigeon
