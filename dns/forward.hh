// SPDX-License-Identifier: GPL-2.0-or-later
// Questions on their way to the upstream servers: which handler has them, its groups in
// parallel, the servers of a group one after the other. A question that is in flight
// already is not sent again: its askers share the reply. Their number and their waiting
// time are bounded.
//
// Who may hear of a name: the groups of its match domain and nobody else, as long as one
// of their servers lives. When all are dead, the host's original servers are asked, as
// the host would without us; never for a name in a zone of ours, never when one of the
// groups is primary, and never because of one query alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "dns/askers.hh"
#include "dns/group.hh"
#include "dns/handlers.hh"
#include "dns/message.hh"
#include "dns/random.hh"
#include "dns/rebinding.hh"
#include "dns/trace.hh"

namespace wigeon::dns {

struct Upstreams {
  std::vector<GroupConfig> groups{};
  std::vector<Endpoint> originals{};
  RebindingGuard guard{};  // judges what primary and original servers say
};

// What will be asked for a name now.
struct Route {
  const Handler* handler = nullptr;  // until set_upstreams()
  const Handler* dead = nullptr;     // whose place it takes
  bool may_fall = false;             // to the original servers, should the handler die
  bool is_trusted = false;           // may answer with guarded addresses
  // Answers may be kept for others of the same source: group and trust are in it.
  [[nodiscard]] uint32_t source() const { return handler->source * 2 + is_trusted; }
};

struct Forwarded {
  Question question{};
  uint16_t flags = 0;  // of the client's query: RD, AD and CD count
  bool dnssec_ok = false;
  Transport first = Transport::udp;
};

class Forwarder {
 public:
  using Time = std::chrono::microseconds;
  using Clock = std::function<Time()>;

  // clock: the same one that the arguments `now` come from; it dates replies.
  Forwarder(Exchange& exchange, Clock clock);

  // Nothing changes on failure. What is in flight goes on.
  Result<void> set_upstreams(Upstreams upstreams);

  // is_ours: the name is in a zone of ours.
  [[nodiscard]] Route route(const Name& name, bool is_ours, Time now) const;
  // May call landing before it returns. The reply's bytes are valid during the call.
  void ask(const Route& route, const Forwarded& what, const Client& client, Time now,
           Landing landing, const std::shared_ptr<Tracer>& tracer = {});
  // Ends what waits too long.
  void expire(Time now);
  // When expire() has something to do next.
  [[nodiscard]] std::optional<Time> deadline() const;

  [[nodiscard]] size_t waiting() const { return askers_.size(); }
  [[nodiscard]] std::vector<GroupStatistics> groups(Time now) const;
  struct Counters {
    uint64_t sent = 0;
    uint64_t shared = 0;    // joined a question in flight
    uint64_t withheld = 0;  // replies, by the rebinding guard
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  using Query = std::shared_ptr<const std::vector<uint8_t>>;
  struct Line {  // one group's part in the race
    Turn turn{};
    size_t tried = 0;
  };
  struct Flight {
    Forwarded what{};
    Query query{};
    std::string key{};
    Time deadline{};
    std::vector<uint64_t> askers{};
    std::vector<Line> lines{};
    size_t running = 0;               // of the lines
    std::vector<uint8_t> refusal{};   // the first one, when nobody knows better
    std::vector<Endpoint> servers{};  // whose death lets it fall to the original ones
    uint32_t source = 0;
    bool is_trusted = false;
    std::vector<std::shared_ptr<Tracer>> tracers{};
  };
  // The reply is empty unless it is one to this query.
  using OnReply = std::move_only_function<void(const Outcome& outcome)>;

  [[nodiscard]] const std::vector<Endpoint>& servers_of(uint32_t group) const;
  [[nodiscard]] std::vector<Endpoint> servers_of(const Handler& handler) const;
  std::vector<Line> lines_of(const Handler& handler, Time now) const;
  void probe(std::span<const Endpoint> servers, std::chrono::milliseconds limit,
             const Forwarded& what);
  uint64_t add_flight(const Route& route, const Forwarded& what, const std::string& key,
                      std::vector<Line> lines, Time now);
  void launch(uint64_t number, const Route& route, const Forwarded& what, Time now);
  void start(uint64_t number);
  void advance(uint64_t number, size_t line);
  void end_line(uint64_t number);
  bool fall(Flight& flight);
  void send(const Endpoint& server, const Query& query, Transport first,
            std::chrono::milliseconds limit, OnReply done);
  void describe(const Route& route, const Name& name, Trace& trace) const;
  void on_reply(uint64_t number, size_t line, const Outcome& outcome);
  void land(uint64_t number, Bytes reply);

  Exchange& exchange_;
  Clock clock_;
  Upstreams upstreams_{};
  Handlers handlers_{};
  HealthTable health_{};
  Random random_{};
  Askers askers_{};
  std::map<uint64_t, Flight> flights_{};  // by number, so by deadline
  std::unordered_map<std::string, uint64_t> by_key_{};
  uint64_t next_ = 1;
  Counters counters_{};
  std::vector<uint8_t> scratch_ = std::vector<uint8_t>(kMaxMessage);
};

}  // namespace wigeon::dns
