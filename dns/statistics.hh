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
  // No reply: the source is not allowed or asks too often, or the query was steered to us
  // and is for an address that is not ours.
  uint64_t refused = 0;

  friend bool operator==(const ListenerStatistics&, const ListenerStatistics&) = default;
};

// Any reply to our query says that the server is there; what it says does not matter.
struct ServerStatistics {
  Endpoint endpoint{};
  uint64_t sent = 0;
  uint64_t replies = 0;
  uint64_t failures = 0;    // no reply, unreachable
  uint32_t latency_us = 0;  // of replies, smoothed; 0: none yet
  uint32_t ok_ago = UINT32_MAX, failed_ago = UINT32_MAX;  // seconds; the last: never

  friend bool operator==(const ServerStatistics&, const ServerStatistics&) = default;
};

enum class Health : uint8_t { unknown, healthy, unhealthy };

struct GroupStatistics {
  std::vector<std::string> domains{};  // at most kMaxStatisticsDomains
  bool primary = false;
  bool original = false;  // the host's own servers
  Health health = Health::unknown;
  std::string reason{};  // why it is unhealthy
  std::vector<ServerStatistics> servers{};

  friend bool operator==(const GroupStatistics&, const GroupStatistics&) = default;
};
inline constexpr size_t kMaxStatisticsDomains = 8;

// Of the queries to upstream servers, all servers together.
struct UpstreamStatistics {
  uint64_t queries = 0;
  uint64_t replies = 0;
  uint64_t timeouts = 0;
  uint64_t unreachable = 0;  // ICMP, no route, a connection that was closed
  uint64_t full = 0;         // not sent: no place left
  uint64_t repeated = 0;     // sent once more, the first being unanswered
  uint64_t mismatches = 0;  // datagrams from a server's address, not to its query: forged
  uint64_t suspicions = 0;  // queries finished over TCP because of them
  uint64_t truncated = 0;   // queries finished over TCP for room
  uint64_t without_edns = 0;  // asked again
  uint64_t without_case = 0;  // asked again, in the spelling that the server had changed

  friend bool operator==(const UpstreamStatistics&, const UpstreamStatistics&) = default;
};

struct CacheStatistics {
  uint64_t entries = 0, bytes = 0;
  uint64_t hits = 0, misses = 0, evicted = 0, stale = 0;

  friend bool operator==(const CacheStatistics&, const CacheStatistics&) = default;
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
  uint64_t withheld = 0;    // replies, by the rebinding guard
  uint64_t tcp_accepted = 0;
  uint64_t tcp_open = 0;
  uint64_t tcp_closed_for_room = 0;
  uint64_t zones = 0;
  uint64_t names = 0;
  uint64_t zone_bytes = 0;
  std::vector<ListenerStatistics> listeners{};
  std::vector<GroupStatistics> groups{};  // in the map's order, the original servers last
  CacheStatistics cache{};
  UpstreamStatistics upstream{};

  friend bool operator==(const Statistics&, const Statistics&) = default;
};

}  // namespace wigeon::dns
