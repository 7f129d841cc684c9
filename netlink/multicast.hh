// SPDX-License-Identifier: GPL-2.0-or-later
// A netlink socket that hears multicast groups (netlink(7)): what all of our monitors are
// made of.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "agent/base/loop.hh"
#include "agent/base/result.hh"
#include "netlink/attr.hh"

namespace wigeon::netlink {

// A burst of some 2,000 events is kept; a longer one is an overrun.
inline constexpr int kMonitorBytes = 1 << 20;
inline constexpr int kDatagramsAtOnce = 64;  // in one turn of the loop

class Multicast {
 public:
  // Takes one datagram; false when it is malformed.
  using Take = std::function<bool(Bytes datagram)>;
  // Hands over what there is, at most kDatagramsAtOnce. False when something was lost:
  // the kernel dropped events (ENOBUFS), one was longer than kReceiveBytes, or malformed.
  using Hear = std::function<bool(const Take& take)>;
  // Once for each turn of the loop in which there is something; calls `hear` once. May
  // destroy the Multicast.
  using Turn = std::move_only_function<void(const Hear& hear)>;

  // protocol: NETLINK_ROUTE, …; buffer: SO_RCVBUF in bytes. What is sent before this
  // returns is not heard.
  static Result<Multicast> open(Loop& loop, int protocol, std::span<const int> groups,
                                int buffer, Turn turn);

 private:
  struct State;  // shared with the loop's callback, which may outlive us by one call
  Multicast(std::shared_ptr<State> state, Loop::Watch watch)
      : state_(std::move(state)), watch_(std::move(watch)) {}

  std::shared_ptr<State> state_;
  Loop::Watch watch_;
};

}  // namespace wigeon::netlink
