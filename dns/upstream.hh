// SPDX-License-Identifier: GPL-2.0-or-later
// The upstream servers over c-ares: its sockets on our loop, its switch to TCP when a
// reply is truncated. This is the one file that calls c-ares.
//
// c-ares 1.18 keeps one socket, so one source port, for a server and channel. We spread
// the queries at random over a pool of channels.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "agent/base/loop.hh"
#include "dns/exchange.hh"

namespace wigeon::dns {

inline constexpr size_t kChannels = 16;

// The servers worth asking: without our own listeners and addresses (asking them would
// ask us again), addresses nobody can answer from, and repetitions.
struct UsableUpstreams {
  std::vector<Endpoint> servers{};
  std::vector<Endpoint> dropped{};
};
UsableUpstreams usable_upstreams(std::span<const Endpoint> configured,
                                 std::span<const Address> own_addresses,
                                 std::span<const Endpoint> listeners);

class Upstream : public Exchange {
 public:
  static Result<std::unique_ptr<Upstream>> open(Loop& loop);
  // Queries in flight end without their callbacks.
  ~Upstream() override;

  // Nothing changes on failure.
  Result<void> set_servers(std::span<const Endpoint> servers) override;
  void send(const Endpoint& server, Bytes query, Transport first,
            std::chrono::milliseconds limit, Done done) override;

 private:
  class Channel;
  struct Flight;
  using Pool = std::vector<std::unique_ptr<Channel>>;
  explicit Upstream(Loop& loop);
  void tick();
  void keep_ticking();

  Loop& loop_;
  std::map<Endpoint, Pool> pools_;
  std::vector<Pool> retired_{};  // until their queries have ended
  std::list<Flight> flights_;
  bool closing_ = false;
  Loop::Watch ticker_{};
  bool ticking_ = false;
};

}  // namespace wigeon::dns
