// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a peer still answers, known sooner than its session's end (180 s). Pure.
//
// A live peer that is sent data answers within KEEPALIVE_TIMEOUT, by a keepalive if it
// has nothing else to say (WireGuard whitepaper, section 6.5). One that did not hear us,
// or whose keepalive was lost, is asked for a handshake KEEPALIVE_TIMEOUT + REKEY_TIMEOUT
// after our data, with up to 334 ms of jitter, and answers that. Silence beyond it means
// that the peer is gone. Keepalives are not answered, so sending them proves nothing.
//
//   unknown --- it was heard ---------------> alive
//   unknown, alive --- silent for kSilence --> dead --- it was heard ---> alive
//   any --- counters went back: another peer of that key --> unknown
#pragma once

#include <chrono>
#include <optional>

#include "agent/base/tunnel.hh"

namespace wigeon {

inline constexpr std::chrono::seconds kKeepaliveTimeout{10};
inline constexpr std::chrono::seconds kRekeyTimeout{5};
// The kernel's jitter, and a second for the way there and back.
inline constexpr std::chrono::milliseconds kAnswerTime{1'334};
inline constexpr auto kSilence = kKeepaliveTimeout + kRekeyTimeout + kAnswerTime;
// What a keepalive adds to tx_bytes. Data is 64 at least, a handshake initiation 148.
inline constexpr uint64_t kKeepaliveBytes = 32;

class Liveness {
 public:
  enum class State { unknown, alive, dead };
  using Clock = std::chrono::steady_clock;

  // The peer's counters, read at `at`; keepalive: what we send it, 0 for none. Any
  // distance between samples will do: what may have happened before the last sign of life
  // is not held against the peer.
  State update(Clock::time_point at, const PeerStats& stats,
               std::chrono::seconds keepalive);
  [[nodiscard]] State state() const { return state_; }

 private:
  [[nodiscard]] bool expects_answer(Clock::time_point at, const PeerStats& stats) const;

  State state_ = State::unknown;
  bool sampled_ = false;
  PeerStats last_{};
  std::chrono::seconds keepalive_{};
  // Since when it is quiet, as far as we know, and what had been sent by then.
  Clock::time_point quiet_since_{};
  uint64_t sent_before_ = 0;
  std::optional<Clock::time_point> unanswered_since_{};
};

}  // namespace wigeon
