// SPDX-License-Identifier: GPL-2.0-or-later
// c-ares against servers of ours on the loopback of an own network namespace.
#include "dns/upstream.hh"

#include <sys/socket.h>
#include <catch2/catch.hpp>
#include <set>

#include "dns/listeners.hh"
#include "tests/scenario/message_text.hh"
#include "tests/unit/dns/own_network.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

namespace {

// One datagram in, what `reply` makes of it out.
struct UdpServer {
  Endpoint endpoint{};
  UniqueFd udp{}, tcp{};
  std::set<int> ports{}, ids{};
  int queries = 0;
  std::function<std::vector<uint8_t>(Bytes)> reply{},
      forgery{};  // the forgery comes first
  std::vector<UniqueFd> connections{};
  std::vector<Loop::Watch> watches{};

  UdpServer(Loop& loop, const char* address, std::function<std::vector<uint8_t>(Bytes)> r)
      : reply(std::move(r)) {
    enter_own_network();
    const std::vector<Address> addresses{*Address::parse(address)};
    auto sockets = *open_listeners(addresses, 0);
    endpoint = sockets[0].endpoint;
    udp = std::move(sockets[0].fd);
    tcp = std::move(sockets[1].fd);
    watches.push_back(*loop.watch(udp.get(), EPOLLIN, [this](uint32_t) { ready(); }));
    watches.push_back(*loop.watch(tcp.get(), EPOLLIN, [this, &loop](uint32_t) {
      const int fd = ::accept4(tcp.get(), nullptr, nullptr, SOCK_NONBLOCK);
      connections.emplace_back(fd);
      watches.push_back(
          *loop.watch(fd, EPOLLIN, [this, fd](uint32_t) { tcp_ready(fd); }));
    }));
  }
  void ready() {
    uint8_t bytes[2048];
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t n = ::recvfrom(udp.get(), bytes, sizeof bytes, MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (n <= 0) return;
    ++queries;
    const auto* sender = reinterpret_cast<sockaddr*>(&from);
    ports.insert(from_sockaddr(sender, size)->port);
    ids.insert(bytes[0] << 8 | bytes[1]);
    const Bytes query{bytes, static_cast<size_t>(n)};
    for (const auto& out :
         {forgery ? forgery(query) : std::vector<uint8_t>{}, reply(query)})
      if (!out.empty()) ::sendto(udp.get(), out.data(), out.size(), 0, sender, size);
  }
  void tcp_ready(int fd) {
    uint8_t bytes[2048];
    const ssize_t n = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n <= 2) return;
    const Bytes query{bytes + 2, static_cast<size_t>(n) - 2};
    const auto out =
        make_reply(query, "NOERROR", {"answer big.test 1 TXT " + std::string(3000, 'x')});
    const uint8_t length[] = {static_cast<uint8_t>(out.size() >> 8),
                              static_cast<uint8_t>(out.size())};
    ::send(fd, length, 2, MSG_MORE | MSG_NOSIGNAL);
    ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
  }
};

std::vector<uint8_t> good(Bytes query) {
  return make_reply(query, "NOERROR", {"answer x.test 60 A 203.0.113.1"});
}
std::vector<uint8_t> none(Bytes) { return {}; }

std::vector<uint8_t> query(std::string name, uint16_t id = 77) {
  return make_query({.name = std::move(name), .id = id, .edns = 1232});
}

// Asks and waits for the end.
std::string ask(Loop& loop, Upstream& upstream, const Endpoint& server, Bytes q,
                std::chrono::milliseconds limit = 4s) {
  std::string result;
  upstream.send(server, q, Transport::udp, limit, [&](const Outcome& o) {
    const bool late = o.end == Outcome::End::no_reply;
    result = o.reply.empty() ? late ? "late" : "none" : text(o.reply);
  });
  const auto end = Loop::now() + 10s;
  while (result.empty() && Loop::now() < end) REQUIRE(loop.run_once(20ms));
  return result;
}

constexpr char kGood[] = "NOERROR rd ra\nanswer x.test. 60 A 203.0.113.1\nopt 1232\n";

}  // namespace

TEST_CASE("a query goes to its server and the reply comes back") {
  auto loop = *Loop::open();
  UdpServer server(loop, "127.0.0.1", good);
  auto upstream = *Upstream::open(loop);
  REQUIRE(upstream->set_servers(std::vector{server.endpoint}));
  CHECK(ask(loop, *upstream, server.endpoint, query("x.test", 0xbeef)) == kGood);
  CHECK(server.ids == std::set<int>{0xbeef});
}

TEST_CASE("a truncated reply is fetched over TCP") {
  auto loop = *Loop::open();
  UdpServer server(loop, "127.0.0.1", [](Bytes q) {
    return make_reply(q, "NOERROR", {}, flag::kRa | flag::kTc);
  });
  auto upstream = *Upstream::open(loop);
  REQUIRE(upstream->set_servers(std::vector{server.endpoint}));
  const auto got = ask(loop, *upstream, server.endpoint, query("big.test"));
  CHECK(got.starts_with("NOERROR rd ra\nanswer big.test. 1 TXT "));
  CHECK(got.size() > 3000);
}

TEST_CASE("a reply of 1200 bytes is taken over UDP") {
  auto loop = *Loop::open();
  UdpServer server(loop, "127.0.0.1", [](Bytes q) {
    return make_reply(q, "NOERROR", {"answer x.test 1 TXT " + std::string(1100, 'x')});
  });
  auto upstream = *Upstream::open(loop);
  REQUIRE(upstream->set_servers(std::vector{server.endpoint}));
  CHECK(ask(loop, *upstream, server.endpoint, query("x.test")).starts_with("NOERROR"));
  CHECK(server.connections.empty());
}

TEST_CASE("a server without EDNS is asked without it") {
  auto loop = *Loop::open();
  UdpServer server(loop, "127.0.0.1", [](Bytes q) {
    Reader in(q);
    const bool edns = in.header()->additionals > 0;
    const std::vector<uint8_t> plain = make_query({.name = "x.test", .id = 77});
    return edns ? make_reply(plain, "FORMERR", {}) : good(q);
  });
  auto upstream = *Upstream::open(loop);
  REQUIRE(upstream->set_servers(std::vector{server.endpoint}));
  CHECK(ask(loop, *upstream, server.endpoint, query("x.test")) ==
        "NOERROR rd ra\nanswer x.test. 60 A 203.0.113.1\n");
}

TEST_CASE("forged replies are not taken") {
  auto loop = *Loop::open();
  UdpServer server(loop, "127.0.0.1", good);
  auto upstream = *Upstream::open(loop);
  REQUIRE(upstream->set_servers(std::vector{server.endpoint}));
  server.forgery = [](Bytes q) {
    auto r = make_reply(q, "NOERROR", {"answer x.test 60 A 198.51.100.66"});
    r[1] ^= 1;  // another id
    return r;
  };
  CHECK(ask(loop, *upstream, server.endpoint, query("x.test")) == kGood);
  server.forgery = [](Bytes) {
    return make_reply(query("y.test"), "NOERROR", {"answer y.test 60 A 198.51.100.66"});
  };
  CHECK(ask(loop, *upstream, server.endpoint, query("x.test")) == kGood);
}

TEST_CASE("queries in flight leave from many ports") {
  auto loop = *Loop::open();
  UdpServer server(loop, "127.0.0.1", good);
  auto upstream = *Upstream::open(loop);
  REQUIRE(upstream->set_servers(std::vector{server.endpoint}));
  int done = 0;
  for (int i = 0; i < 200; ++i)
    upstream->send(server.endpoint,
                   query("n" + std::to_string(i) + ".test", static_cast<uint16_t>(i)),
                   Transport::udp, 4s, [&](const Outcome& o) {
                     done += o.end == Outcome::End::replied ? 1 : 1000;
                   });
  const auto end = Loop::now() + 10s;
  while (done < 200 && Loop::now() < end) REQUIRE(loop.run_once(20ms));
  CHECK(done == 200);
  CHECK(server.ports.size() > kChannels / 2);
}

TEST_CASE("queries in flight outlive a change of servers, and the end of everything") {
  auto loop = *Loop::open();
  std::vector<uint8_t> held;
  UdpServer slow(loop, "127.0.0.1", none);
  UdpServer server(loop, "127.0.0.1", good);
  auto upstream = *Upstream::open(loop);
  REQUIRE(upstream->set_servers(std::vector{slow.endpoint}));
  std::string late;
  upstream->send(
      slow.endpoint, query("late.test"), Transport::udp, 4s,
      [&](const Outcome& o) { late = o.reply.empty() ? "none" : text(o.reply); });
  while (slow.queries == 0) REQUIRE(loop.run_once(20ms));
  slow.reply = good;
  REQUIRE(upstream->set_servers(std::vector{server.endpoint}));
  CHECK(ask(loop, *upstream, server.endpoint, query("x.test")) == kGood);
  CHECK(server.queries == 1);
  const auto end = Loop::now() + 10s;
  while (late.empty() && Loop::now() < end) REQUIRE(loop.run_once(20ms));
  CHECK(late == kGood);  // the repeated query went to the old server
  CHECK(server.queries == 1);

  server.reply = none;
  bool called = false;
  upstream->send(server.endpoint, query("never.test"), Transport::udp, 4s,
                 [&](const Outcome&) { called = true; });
  upstream.reset();
  CHECK_FALSE(called);
}

TEST_CASE("a silent server, a closed port and an unknown server are told apart") {
  auto loop = *Loop::open();
  UdpServer silent(loop, "127.0.0.1", none);
  const Endpoint closed = *Endpoint::parse("127.0.0.1:9");
  auto upstream = *Upstream::open(loop);
  REQUIRE(upstream->set_servers(std::vector{silent.endpoint, closed}));
  CHECK(ask(loop, *upstream, silent.endpoint, query("x.test"), 200ms) == "late");
  CHECK(ask(loop, *upstream, closed, query("x.test")) == "none");
  const Endpoint unknown = *Endpoint::parse("127.0.0.1:10");
  CHECK(ask(loop, *upstream, unknown, query("x.test")) == "none");
}
