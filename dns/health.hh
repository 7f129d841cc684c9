// SPDX-License-Identifier: GPL-2.0-or-later
// Whether servers reply, seen from what came of the queries to them: nothing is sent for
// its own sake. Any reply counts, whatever it says. Time is an argument.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "dns/statistics.hh"

namespace wigeon::dns {

inline constexpr uint32_t kDeadAfter = 2;  // failures since the last reply
// What was seen longer ago says nothing about now.
inline constexpr std::chrono::seconds kFresh{60};
inline constexpr std::chrono::seconds kFirstBackOff{1};
inline constexpr std::chrono::seconds kMaxBackOff{5};

class ServerHealth {
 public:
  using Time = std::chrono::microseconds;

  // `limit`: when the query's outcome is known at the latest.
  void sent(Time now, Time limit);
  void replied(Time sent, Time now);
  void failed(Time sent, Time now);  // no reply, unreachable
  // A failing server may be asked at once: the network may be another one now.
  void retry_now() { retry_at_ = Time::min(); }

  // Its last query failed: healthy ones go before it.
  [[nodiscard]] bool failing() const { return failures_in_row_ > 0; }
  // Nobody waits for it; from time to time it is probed.
  [[nodiscard]] bool dead(Time now) const;
  // It is failing, and it may be seen now whether it still is.
  [[nodiscard]] bool probe_due(Time now) const { return failing() && now >= retry_at_; }

  [[nodiscard]] bool replied_lately(Time now) const {
    return last_reply_ && now - *last_reply_ < kFresh;
  }
  [[nodiscard]] std::optional<Time> last_reply() const { return last_reply_; }
  [[nodiscard]] ServerStatistics statistics(const Endpoint& server, Time now) const;

 private:
  uint64_t sent_ = 0, replies_ = 0, failures_ = 0;
  uint32_t failures_in_row_ = 0;
  uint32_t rounds_ = 0;  // of failures: queries sent together fail together
  Time round_began_ = Time::min();
  Time retry_at_ = Time::min();
  std::optional<Time> last_reply_{}, last_failure_{};
  std::chrono::microseconds latency_{0};
};

// A server in several groups is one server.
using HealthTable = std::map<Endpoint, ServerHealth>;

struct GroupHealth {
  Health health = Health::unknown;
  std::string reason{};  // why it is unhealthy
};
// Unhealthy: every server is dead, or there is none. Healthy: one has replied lately.
GroupHealth group_health(std::span<const Endpoint> servers, const HealthTable& table,
                         ServerHealth::Time now);
bool all_dead(std::span<const Endpoint> servers, const HealthTable& table,
              ServerHealth::Time now);

}  // namespace wigeon::dns
