// SPDX-License-Identifier: GPL-2.0-or-later
// Hears of changes to links, addresses, routes, rules and links' settings of this network
// namespace.
#pragma once

#include <vector>

#include "netlink/event.hh"
#include "netlink/multicast.hh"

namespace wigeon::netlink {

// The whole of what there was to hear in one turn of the loop.
struct Heard {
  std::vector<Event> events{};
  // The kernel dropped events (ENOBUFS), or one made no sense: observe everything again.
  bool overrun = false;
};

class Monitor {
 public:
  using Changed = std::move_only_function<void(const Heard&)>;
  // Changes before this returns are not heard: open it first, then observe. The callback
  // may destroy the monitor.
  static Result<Monitor> open(Loop& loop, Changed changed, int buffer = kMonitorBytes);

 private:
  explicit Monitor(Multicast socket) : socket_(std::move(socket)) {}

  Multicast socket_;
};

}  // namespace wigeon::netlink
