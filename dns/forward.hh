// SPDX-License-Identifier: GPL-2.0-or-later
// Questions on their way to the upstream servers. A question that is in flight already is
// not sent again: its askers share the reply. Their number and their waiting time are
// bounded. Time is an argument, so that tests own it.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "dns/exchange.hh"
#include "dns/message.hh"
#include "dns/random.hh"

namespace wigeon::dns {

inline constexpr size_t kMaxInFlight = 1000;  // askers, not questions
inline constexpr std::chrono::seconds kForwardTimeout{5};

class Forwarder {
 public:
  using Time = std::chrono::microseconds;
  enum class Failure : uint8_t {
    none,
    no_servers,
    too_many,  // kMaxInFlight askers are waiting
    no_reply,  // nobody answered in time, or not the question
  };
  // reply is empty exactly when there is a failure. Its id is not the client's.
  using Reply = std::move_only_function<void(Bytes reply, Failure failure)>;

  explicit Forwarder(Exchange& exchange) : exchange_(exchange) {}

  // Asked in this order. Nothing changes on failure.
  Result<void> set_servers(std::vector<Endpoint> servers);

  // May call reply before it returns. flags: RD, AD and CD of the client's query.
  void ask(const Question& question, uint16_t flags, bool dnssec_ok, Time now,
           Reply reply);
  // Ends what waits too long.
  void expire(Time now);
  // When expire() has something to do next.
  [[nodiscard]] std::optional<Time> deadline() const;

  [[nodiscard]] size_t waiting() const { return waiting_; }
  struct Counters {
    uint64_t sent = 0;
    uint64_t shared = 0;  // joined a question in flight
    uint64_t failed = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Flight {
    std::vector<uint8_t> query{};
    std::string key{};
    Time deadline{};
    std::vector<Reply> askers{};
    std::vector<Endpoint> servers{};
    size_t tried = 0;
    std::vector<uint8_t> refusal{};  // the last one, when nobody knows better
  };
  void try_next(uint64_t flight);
  void on_outcome(uint64_t flight, const Outcome& outcome);
  void land(uint64_t flight, Bytes reply);

  Exchange& exchange_;
  std::vector<Endpoint> servers_{};
  Random random_{};
  std::map<uint64_t, Flight> flights_{};  // by number, so by deadline
  std::unordered_map<std::string, uint64_t> by_key_{};
  uint64_t next_ = 1;
  size_t waiting_ = 0;
  Counters counters_{};
};

}  // namespace wigeon::dns
