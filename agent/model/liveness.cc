// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/liveness.hh"

namespace wigeon {

Liveness::State Liveness::update(Clock::time_point at, const PeerStats& stats,
                                 std::chrono::seconds keepalive) {
  const bool another =
      !sampled_ || stats.rx_bytes < last_.rx_bytes || stats.tx_bytes < last_.tx_bytes;
  const bool heard = !another && (stats.rx_bytes > last_.rx_bytes ||
                                  stats.last_handshake > last_.last_handshake);
  if (another) state_ = State::unknown;
  if (heard) state_ = State::alive;
  if (another || heard || keepalive != keepalive_) {
    quiet_since_ = at;
    sent_before_ = stats.tx_bytes;
    unanswered_since_.reset();
  } else if (!unanswered_since_) {
    if (expects_answer(at, stats)) unanswered_since_ = at;
  } else if (at - *unanswered_since_ >= kSilence) {
    state_ = State::dead;
  }
  sampled_ = true;
  last_ = stats;
  keepalive_ = keepalive;
  return state_;
}

// More was sent than our answer to the last sign of life, at most one keepalive, and the
// persistent keepalives since.
bool Liveness::expects_answer(Clock::time_point at, const PeerStats& stats) const {
  uint64_t keepalives = 1;
  if (keepalive_.count() > 0)
    keepalives += 1 + static_cast<uint64_t>((at - quiet_since_) / keepalive_);
  return stats.tx_bytes - sent_before_ > keepalives * kKeepaliveBytes;
}

}  // namespace wigeon
