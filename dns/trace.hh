// SPDX-License-Identifier: GPL-2.0-or-later
// What became of one query: who had its name, who was asked, with what outcome. Only for
// queries that somebody wants to see explained; others carry no tracer.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/ip.hh"

namespace wigeon::dns {

inline constexpr size_t kMaxAttempts = 256;

// One query to one upstream server. Times in microseconds since the client's query.
struct Attempt {
  enum class End : uint8_t {
    pending,   // an answer of another, or the end of the query's time, came first
    answered,  // it was taken
    refused,   // SERVFAIL, REFUSED: the next server may know better
    unusable,  // a reply, but to no question of ours, or one that cannot be read
    no_reply,
    unreachable,
  };
  Endpoint server{};
  uint64_t sent = 0;
  uint64_t took = 0;
  End end = End::pending;

  friend bool operator==(const Attempt&, const Attempt&) = default;
};

struct Trace {
  enum class Local : uint8_t { none, zone, special, refused_type };
  Local local = Local::none;  // who of us was asked first
  std::string zone{};
  std::string wanted{};  // asked upstream: the name, or the end of its alias chain
  enum class Source : uint8_t { nobody, match, primary, original };
  Source source = Source::nobody;
  std::string domain{};   // of Source::match
  bool fell = false;      // its servers are dead, the original ones took their place
  bool shared = false;    // the question was in flight already, for somebody else
  bool withheld = false;  // the answer held addresses that its source must not say
  enum class Cache : uint8_t { unused, miss, hit, stale };
  Cache cache = Cache::unused;
  std::vector<Attempt> attempts{};
  uint64_t took = 0;

  friend bool operator==(const Trace&, const Trace&) = default;
};

// Writes a trace while the query is at work.
class Tracer {
 public:
  using Time = std::chrono::microseconds;

  explicit Tracer(Time began) : began_(began) {}

  Trace trace{};

  void sent(const Endpoint& server, Time now) {
    if (trace.attempts.size() < kMaxAttempts)
      trace.attempts.push_back({.server = server, .sent = since(now)});
  }
  // Of the attempt that was sent to it last; one sent before this query came counts from
  // then.
  void ended(const Endpoint& server, Attempt::End end, Time now) {
    const auto is_it = [&](const Attempt& a) {
      return a.server == server && a.end == Attempt::End::pending;
    };
    auto at = std::find_if(trace.attempts.rbegin(), trace.attempts.rend(), is_it);
    if (at == trace.attempts.rend()) {
      if (trace.attempts.size() == kMaxAttempts) return;
      trace.attempts.push_back({.server = server});
      at = trace.attempts.rbegin();
    }
    at->end = end;
    at->took = since(now) - at->sent;
  }
  void finished(Time now) {
    trace.took = since(now);
    for (auto& a : trace.attempts)
      if (a.end == Attempt::End::pending) a.took = trace.took - a.sent;
  }

 private:
  [[nodiscard]] uint64_t since(Time now) const {
    return static_cast<uint64_t>(std::max(now - began_, Time::zero()).count());
  }
  Time began_;
};

}  // namespace wigeon::dns
