// SPDX-License-Identifier: GPL-2.0-or-later
// The upstream servers: each query leaves from a port of its own, with an id and letter
// case of its own, and only a reply to exactly that is taken (RFC 5452). c-ares
// (upstream_channel.hh) keeps the queries and speaks TCP; what it is not told, it cannot
// be fooled with.
//
// A query is sent, and once more after a third of its limit. It goes on over TCP when its
// reply is truncated, or after ten datagrams that were no reply to it. A server that
// refuses EDNS, or that does not copy the spelling of names, is asked again without, and
// is asked so for ten minutes.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "agent/base/loop.hh"
#include "dns/exchange.hh"
#include "dns/random.hh"
#include "dns/statistics.hh"

namespace wigeon::dns {

class TcpChannel;

// The servers worth asking: without our own listeners and addresses (asking them would
// ask us again), addresses nobody can answer from or be reached at, and repetitions.
struct UsableUpstreams {
  std::vector<Endpoint> servers{};
  std::vector<Endpoint> dropped{};
};
UsableUpstreams usable_upstreams(std::span<const Endpoint> configured,
                                 std::span<const Address> own_addresses,
                                 std::span<const Endpoint> listeners);

// Queries in flight; each holds a socket. Fewer when the process may not open as many
// files and 256 besides. One server gets three quarters of them at most.
inline constexpr size_t kMaxUpstreamQueries = 4000;
inline constexpr int kMaxMismatches = 10;  // for one query, then it goes on over TCP

class Upstream : public Exchange {
 public:
  static Result<std::unique_ptr<Upstream>> open(Loop& loop);
  // Queries in flight end without their callbacks. Callbacks call neither this nor
  // set_servers(), but may send().
  ~Upstream() override;

  Result<void> set_servers(std::span<const Endpoint> servers) override;
  void send(const Endpoint& server, Bytes query, Transport first,
            std::chrono::milliseconds limit, Done done) override;

  [[nodiscard]] const UpstreamStatistics& statistics() const { return statistics_; }
  [[nodiscard]] size_t in_flight() const { return in_flight_; }
  [[nodiscard]] size_t sockets() const;  // for UDP, the idle ones too

 private:
  using Time = std::chrono::microseconds;
  struct Flight;
  struct Server;

  Upstream(Loop& loop, UniqueFd epoll, size_t most);
  Flight* take(Server& server);
  void ask_udp(Flight& f);
  void ask_tcp(Flight& f);
  TcpChannel* connection(Flight& f);
  void ready();
  void receive(Flight& f);
  void on_datagram(Flight& f, std::span<uint8_t> datagram);
  void on_tcp_end(uint64_t ticket, Bytes reply);
  void learn(Flight& f, Bytes reply);
  void leave_udp(Flight& f);
  void count(Outcome::End end);
  void end(Flight& f, const Outcome& outcome);
  // upstream_time.cc
  void tick();
  void check_limits(Time now);
  bool tidy(Time now);
  void keep_ticking();

  Loop& loop_;
  UniqueFd epoll_;  // of all UDP sockets
  size_t most_;
  Random random_{};
  UpstreamStatistics statistics_{};
  std::vector<uint8_t> datagram_;
  // By number; null: not in use. Servers refer to them, so they go last.
  std::vector<std::unique_ptr<Flight>> flights_;
  struct Free {
    std::vector<uint16_t> numbers{};  // the last used one last
    size_t least = 0;                 // of them since they were last tidied
  };
  std::array<Free, 2> free_{};  // with sockets for IPv4, for IPv6
  size_t in_flight_ = 0;
  uint64_t serial_ = 0;
  std::map<Endpoint, std::unique_ptr<Server>> servers_;
  std::vector<std::unique_ptr<Server>> retired_;  // until their queries have ended
  Loop::Watch watch_{};
  Loop::Watch ticker_{};
  Time next_tick_ = Time::max();
  Time tidied_{};
};

}  // namespace wigeon::dns
