// SPDX-License-Identifier: GPL-2.0-or-later
// Which rung to stand on, from what came of trying them. Pure; the clock is the caller's.
//
//   refused        the kernel or somebody else does not let it be attached: one down
//   probe failed   kProbesLost times in a row, while the resolver itself answers: one
//                  down, unless there is only one
//   none left      from the top after a wait
//   not the first  from the top after a longer wait, in case what was wrong is not any
//                  more. Both waits double, so that nothing flaps.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/daemon/rung.hh"

namespace wigeon {

inline constexpr unsigned kRungProbesLost = 3;
inline constexpr std::chrono::seconds kTryAllAgain{15}, kTryAllAgainAtMost{3600};
inline constexpr std::chrono::hours kClimbAgain{1}, kClimbAgainAtMost{24};

class Ladder {
 public:
  using Time = std::chrono::microseconds;  // since any beginning

  Ladder() = default;
  explicit Ladder(std::vector<Rung> rungs) : rungs_(std::move(rungs)) {}

  // Nothing: there is none, or none works.
  [[nodiscard]] std::optional<Rung> rung() const;
  // It was seen to work.
  [[nodiscard]] bool proved() const { return proved_; }

  // Those above the one we stand on, and why; all of them when there is none.
  struct Fallen {
    Rung rung{};
    std::string why{};
  };
  [[nodiscard]] const std::vector<Fallen>& fallen() const { return fallen_; }

  void refused(std::string why, Time now);
  void passed();
  enum class Next : uint8_t { ask_again, another_rung, give_up };
  // at_port_53: what came of asking where the host asks. resolver_answers: it does where
  // it listens, so that the way is to blame.
  Next failed(const std::string& at_port_53, bool resolver_answers, Time now);

  // When to begin at the top again; nothing while we stand there.
  [[nodiscard]] std::optional<Time> climb_at() const { return climb_at_; }
  void climb();

 private:
  void down(std::string why, Time now);

  std::vector<Rung> rungs_{};
  size_t at_ = 0;
  bool proved_ = false;
  unsigned lost_ = 0;   // probes in a row
  unsigned tries_ = 0;  // times that the top was tried in vain
  std::vector<Fallen> fallen_{};
  std::optional<Time> climb_at_{};
};

}  // namespace wigeon
