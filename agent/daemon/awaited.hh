// SPDX-License-Identifier: GPL-2.0-or-later
// Answers that are waited for, each until its limit. Whoever waits is told exactly once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "agent/base/loop.hh"
#include "agent/control/protocol.hh"

namespace wigeon {

inline constexpr size_t kMaxAwaited = 64;

template <class T>
class Awaited {
 public:
  using Done = std::move_only_function<void(Outcome<T>)>;

  // whose: for "… does not answer". id: one that is not waited for.
  void add(Loop& loop, uint32_t id, std::chrono::milliseconds limit, std::string whose,
           Done done) {
    if (waiting_.size() >= kMaxAwaited)
      return done(std::unexpected(Failure{Code::busy, "too many wait already"}));
    auto late = loop.after(limit, [this, id, whose = std::move(whose)] {
      fail(id, {Code::timeout, whose + " does not answer"});
    });
    if (!late)
      return done(std::unexpected(Failure{Code::error, std::move(late).error().what}));
    waiting_.emplace(id, Waiter{std::move(done), std::move(*late)});
  }
  // Nothing happens when nobody waits for it, or not any more.
  void answer(uint32_t id, T value) { end(id, Outcome<T>(std::move(value))); }
  void fail(uint32_t id, Failure why) {
    end(id, Outcome<T>(std::unexpected(std::move(why))));
  }
  void fail_all(const Failure& why) {
    for (auto& [id, waiter] : std::exchange(waiting_, {}))
      waiter.done(std::unexpected(why));
  }
  [[nodiscard]] size_t size() const { return waiting_.size(); }

 private:
  struct Waiter {
    Done done{};
    Loop::Watch late{};
  };
  void end(uint32_t id, Outcome<T> outcome) {
    auto node = waiting_.extract(id);
    if (!node.empty()) node.mapped().done(std::move(outcome));
  }

  std::map<uint32_t, Waiter> waiting_{};
};

}  // namespace wigeon
