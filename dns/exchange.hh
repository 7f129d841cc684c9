// SPDX-License-Identifier: GPL-2.0-or-later
// The seam to the upstream servers: one query to one server, and what came of it. Which
// server is asked, and who after it, is the forwarder's to say. Linux: upstream.hh over
// c-ares; tests: a fake.
#pragma once

#include <chrono>
#include <functional>
#include <span>

#include "dns/answer.hh"

namespace wigeon::dns {

struct Outcome {
  enum class End : uint8_t {
    replied,      // the server answered this query, whatever it said
    no_reply,     // not within the limit
    unreachable,  // ICMP, a closed port, no route, no socket
  };
  End end = End::no_reply;
  Bytes reply{};  // only when it replied; with the query's id, name spelled as asked
};

// Called once. The reply's bytes are valid during the call.
using Done = std::move_only_function<void(const Outcome& outcome)>;

class Exchange {
 public:
  virtual ~Exchange() = default;
  // The servers that will be asked. Queries in flight to others end as they would have.
  virtual Result<void> set_servers(std::span<const Endpoint> servers) = 0;
  // query: one question and an OPT record at its end, copied. first: TCP is also taken
  // when a reply over UDP is truncated, or too many were not to this query. Id, port and
  // letter case on the wire are the exchange's own. May call done before it returns.
  virtual void send(const Endpoint& server, Bytes query, Transport first,
                    std::chrono::milliseconds limit, Done done) = 0;
};

}  // namespace wigeon::dns
