// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <catch2/catch.hpp>

#include "tests/unit/dns/upstream_server.hh"

namespace wigeon::dns {

// Asks a server and waits for the ends.
struct Probing {
  Loop& loop;
  std::unique_ptr<Upstream> upstream = *Upstream::open(loop);
  size_t replied = 0, late = 0, unreachable = 0;
  std::string last{};  // reply as text, "late" or "none"

  Probing(Loop& l, const std::vector<Endpoint>& servers) : loop(l) {
    REQUIRE(upstream->set_servers(servers));
  }
  void send(const Endpoint& server, Bytes q,
            std::chrono::milliseconds limit = std::chrono::seconds(4),
            Transport first = Transport::udp) {
    upstream->send(server, q, first, limit, [this](const Outcome& o) {
      using End = Outcome::End;
      ++(o.end == End::replied ? replied : o.end == End::no_reply ? late : unreachable);
      last = o.end == End::replied    ? text(o.reply)
             : o.end == End::no_reply ? "late"
                                      : "none";
    });
  }
  [[nodiscard]] size_t ended() const { return replied + late + unreachable; }
  void until(auto condition) const {
    const auto end = Loop::now() + std::chrono::seconds(20);
    while (!condition()) {
      REQUIRE(Loop::now() < end);
      REQUIRE(loop.run_once(std::chrono::milliseconds(20)));
    }
  }
  std::string ask(const Endpoint& server, Bytes q,
                  std::chrono::milliseconds limit = std::chrono::seconds(4),
                  Transport first = Transport::udp) {
    const size_t before = ended();
    send(server, q, limit, first);
    until([&] { return ended() > before; });
    return last;
  }
};

}  // namespace wigeon::dns
