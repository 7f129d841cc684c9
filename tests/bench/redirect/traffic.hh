// SPDX-License-Identifier: GPL-2.0-or-later
// Fixed amounts of traffic over loopback between two threads: streams from CPU 1 to CPU
// 0, questions and answers on CPU 1.
#pragma once

#include "agent/base/ip.hh"
#include "agent/base/result.hh"

namespace wigeon::bench {

struct Cost {
  double wall = 0, cpu = 0;  // seconds for all operations; cpu: of this process
};

// TCP to 127.0.0.1: so many writes of this many bytes, TCP_NODELAY.
Result<Cost> stream(size_t writes, size_t bytes);
// So many questions and answers of this many bytes, one after the other.
Result<Cost> tcp_turns(size_t turns, size_t bytes);
Result<Cost> udp_turns(size_t turns, size_t bytes);
// So many queries for a name, a few under way at a time; cpu: of this process only.
Result<Cost> dns_queries(const Endpoint& to, const std::string& name, size_t queries);

}  // namespace wigeon::bench
