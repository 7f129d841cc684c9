// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/ladder.hh"

#include <utility>

#include "agent/base/doubled.hh"

namespace wigeon {
std::optional<Rung> Ladder::rung() const {
  return at_ < rungs_.size() ? std::optional(rungs_[at_]) : std::nullopt;
}

void Ladder::refused(std::string why, Time now) {
  if (at_ < rungs_.size()) down(std::move(why), now);
}

void Ladder::passed() {
  proved_ = true;
  lost_ = 0;
  if (at_ == 0) tries_ = 0;
}

Ladder::Next Ladder::failed(const std::string& at_port_53, bool resolver_answers,
                            Time now) {
  if (at_ >= rungs_.size()) return Next::give_up;
  if (++lost_ < kRungProbesLost) return Next::ask_again;
  lost_ = 0;
  if (!resolver_answers || rungs_.size() == 1) return Next::give_up;
  down(at_port_53, now);
  return rung() ? Next::another_rung : Next::give_up;
}

void Ladder::climb() {
  at_ = 0;
  lost_ = 0;
  proved_ = false;
  fallen_.clear();
  climb_at_.reset();
  ++tries_;
}

void Ladder::down(std::string why, Time now) {
  fallen_.push_back({rungs_[at_], std::move(why)});
  ++at_;
  lost_ = 0;
  proved_ = false;
  climb_at_ = now + (rung() ? doubled(kClimbAgain, tries_, kClimbAgainAtMost)
                            : doubled(kTryAllAgain, tries_, kTryAllAgainAtMost));
}

}  // namespace wigeon
