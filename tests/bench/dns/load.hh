// SPDX-License-Identifier: GPL-2.0-or-later
// Clients that keep a server busy and take notes.
#pragma once

#include <functional>

#include "tests/bench/dns/workload.hh"

namespace wigeon::bench {

struct Load {
  double seconds = 0;
  uint64_t sent = 0, received = 0;
  uint64_t wrong = 0;       // another rcode than the one expected
  uint64_t lost = 0;        // not answered within kPatience
  double p50 = 0, p99 = 0;  // seconds from question to reply
  double stall = 0;         // the longest wait for a reply
};
inline constexpr double kPatience = 0.25;

struct Pressure {
  double seconds = 1;
  uint8_t rcode = 0;
  size_t sockets = 4;
  size_t window = 64;  // questions without a reply, of all sockets
};

Result<Load> load_udp(const Endpoint& to, const Questions& questions, Pressure p);
Result<Load> load_tcp(const Endpoint& to, const Questions& questions, Pressure p);
// So many questions a second whatever comes back; `then` is called once, when `at` of the
// time is over.
Result<Load> load_steadily(const Endpoint& to, const Questions& questions, double rate,
                           double seconds, double at, const std::function<void()>& then);

// Asks until the reply has this address as its last four bytes; how long that took.
Result<double> wait_for_answer(const Endpoint& to, const std::string& name,
                               const Address& expected, double at_most);

}  // namespace wigeon::bench
