// SPDX-License-Identifier: GPL-2.0-or-later
// What time does to queries, sockets and connections.
#include <algorithm>

#include "dns/upstream_flight.hh"

namespace wigeon::dns {
namespace {

using namespace std::chrono_literals;

// How late a limit may be found to have passed.
constexpr auto kTick = 50ms;
// Without queries: how often what they left is cleared away, until nothing is.
constexpr auto kTidy = 1s;
constexpr auto kIdle = 10s;           // channels of a server that is not asked
constexpr size_t kSpareSockets = 16;  // for each family, even when idle

}  // namespace

void Upstream::keep_ticking() {
  const Time wanted = Loop::now() + (in_flight_ > 0 ? kTick : kTidy);
  if (next_tick_ <= wanted) return;
  // Fails only without memory: tried again with the next query.
  if (ticker_.restart(wanted - Loop::now())) next_tick_ = wanted;
}

void Upstream::tick() {
  const Time now = Loop::now();
  next_tick_ = Time::max();
  check_limits(now);
  const bool more = now - tidied_ < kTidy || tidy(now);
  if (more || in_flight_ > 0) keep_ticking();
}

void Upstream::check_limits(Time now) {
  // end() tells askers, who may ask again: by number, and only those known now.
  const uint64_t known = serial_;
  for (size_t i = 0; i < flights_.size(); ++i) {
    if (!flights_[i] || flights_[i]->serial == 0 || flights_[i]->serial > known) continue;
    Flight& f = *flights_[i];
    if (f.deadline <= now) {
      // A connection on which something is overdue takes no new queries.
      if (f.tcp && !f.alone && f.server->tcp)
        f.server->others.push_back(std::move(f.server->tcp));
      end(f, {Outcome::End::no_reply, {}});
    } else if (!f.tcp && f.repeat_at <= now) {
      f.repeat_at = Time::max();
      ++statistics_.repeated;
      if (!f.socket->send(f.query.sent())) end(f, {Outcome::End::unreachable, {}});
    }
  }
  const auto check = [](Server& s) {
    if (s.tcp) s.tcp->check_timeouts();
    for (size_t i = 0; i < s.others.size(); ++i) s.others[i]->check_timeouts();
    std::erase_if(s.others, [](auto& c) { return c->pending() == 0; });
  };
  for (auto& [endpoint, server] : servers_) check(*server);
  for (auto& server : retired_) check(*server);
}

// Whether there is something left to clear away.
bool Upstream::tidy(Time now) {
  tidied_ = now;
  bool more = false;
  for (auto& free : free_) {
    const size_t unused = std::exchange(free.least, free.numbers.size());
    for (size_t i = kSpareSockets; i < unused; ++i)
      flights_[free.numbers[i - kSpareSockets]].reset();
    more |= free.numbers.size() > kSpareSockets && unused < free.numbers.size();
  }
  for (auto& [endpoint, s] : servers_) {
    if (s->in_flight > 0 || (!s->udp && !s->tcp && s->others.empty())) continue;
    more = true;
    if (now - s->used < kIdle) continue;
    s->udp.reset();
    s->tcp.reset();
    s->others.clear();
  }
  std::erase_if(retired_, [](auto& s) { return s->in_flight == 0; });
  return more || !retired_.empty();
}

}  // namespace wigeon::dns
