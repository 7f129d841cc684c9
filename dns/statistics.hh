// SPDX-License-Identifier: GPL-2.0-or-later
// What the resolver counts, for `wigeon status` and metrics.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "agent/base/ip.hh"
#include "dns/answer.hh"

namespace wigeon::dns {

struct ListenerStatistics {
  Transport transport = Transport::udp;
  Endpoint endpoint{};
  uint64_t queries = 0;
  uint64_t replies = 0;
  uint64_t refused = 0;  // source not allowed: no reply

  friend bool operator==(const ListenerStatistics&, const ListenerStatistics&) = default;
};

struct Statistics {
  uint64_t queries = 0;
  uint64_t dropped = 0;               // understood to deserve no reply
  std::array<uint64_t, 16> rcodes{};  // of replies, by the header's four bits
  uint64_t no_data = 0;               // NOERROR without an answer record
  uint64_t truncated = 0;
  uint64_t forwarded = 0;   // sent upstream
  uint64_t shared = 0;      // waited for the same question of somebody else
  uint64_t unanswered = 0;  // got SERVFAIL because no upstream server replied
  uint64_t tcp_accepted = 0;
  uint64_t tcp_open = 0;
  uint64_t tcp_closed_for_room = 0;
  uint64_t zones = 0;
  uint64_t names = 0;
  uint64_t zone_bytes = 0;
  std::vector<ListenerStatistics> listeners{};

  friend bool operator==(const Statistics&, const Statistics&) = default;
};

}  // namespace wigeon::dns
