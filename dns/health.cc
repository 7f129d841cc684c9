// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/health.hh"

#include <algorithm>

#include "agent/base/doubled.hh"

namespace wigeon::dns {
namespace {

using Time = ServerHealth::Time;

constexpr int kSmoothing = 8;  // a reply's share of the latency

uint32_t seconds_since(std::optional<Time> then, Time now) {
  if (!then) return UINT32_MAX;
  const auto s = std::chrono::duration_cast<std::chrono::seconds>(now - *then).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(s, 0, UINT32_MAX - 1));
}

}  // namespace

void ServerHealth::sent(Time now, Time limit) {
  ++sent_;
  // One probe at a time.
  if (failing()) retry_at_ = std::max(retry_at_, now + limit);
}

void ServerHealth::replied(Time sent, Time now) {
  ++replies_;
  last_reply_ = now;
  failures_in_row_ = rounds_ = 0;
  retry_at_ = Time::min();
  const auto took = std::max<Time>(now - sent, Time(1));
  latency_ = latency_ == Time::zero() ? took : latency_ + (took - latency_) / kSmoothing;
}

void ServerHealth::failed(Time sent, Time now) {
  ++failures_;
  last_failure_ = now;
  // It replied to somebody since: it is this query it does not like.
  if (last_reply_ && *last_reply_ > sent) return;
  ++failures_in_row_;
  if (rounds_ > 0 && sent < round_began_) return;
  round_began_ = now;
  retry_at_ = now + doubled(kFirstBackOff, rounds_++, kMaxBackOff);
}

bool ServerHealth::dead(Time now) const {
  return failures_in_row_ >= kDeadAfter && last_failure_ && now - *last_failure_ < kFresh;
}

ServerStatistics ServerHealth::statistics(const Endpoint& server, Time now) const {
  return {.endpoint = server,
          .sent = sent_,
          .replies = replies_,
          .failures = failures_,
          .latency_us =
              static_cast<uint32_t>(std::min<int64_t>(latency_.count(), UINT32_MAX)),
          .ok_ago = seconds_since(last_reply_, now),
          .failed_ago = seconds_since(last_failure_, now)};
}

bool all_dead(std::span<const Endpoint> servers, const HealthTable& table, Time now) {
  return !servers.empty() && std::ranges::all_of(servers, [&](const Endpoint& e) {
    const auto at = table.find(e);
    return at != table.end() && at->second.dead(now);
  });
}

GroupHealth group_health(std::span<const Endpoint> servers, const HealthTable& table,
                         Time now) {
  if (servers.empty()) return {Health::unhealthy, "has no usable server"};
  std::optional<Time> last_reply;
  bool lately = false;
  for (const auto& e : servers) {
    const auto at = table.find(e);
    if (at == table.end()) continue;
    last_reply = std::max(last_reply, at->second.last_reply());
    lately = lately || (at->second.replied_lately(now) && !at->second.dead(now));
  }
  if (all_dead(servers, table, now))
    return {Health::unhealthy,
            last_reply ? "no server has replied for " +
                             std::to_string(seconds_since(last_reply, now)) + " s"
                       : "no server has ever replied"};
  return {lately ? Health::healthy : Health::unknown, {}};
}

}  // namespace wigeon::dns
