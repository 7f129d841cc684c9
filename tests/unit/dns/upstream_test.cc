// SPDX-License-Identifier: GPL-2.0-or-later
// Upstream against a scripted server: what it sends, and what it makes of good servers.
#include "dns/upstream.hh"

#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/dns/upstream_fixture.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

namespace {

bool is_mixed(const std::string& name) {
  return std::ranges::any_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }) &&
         std::ranges::any_of(name, [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

TEST_CASE("a query goes to its server and the reply comes back as it was asked for") {
  auto loop = *Loop::open();
  for (const char* address : {"127.0.0.1", "::1"}) {
    ScriptedServer server(loop, address, good);
    Probing asker(loop, {server.endpoint});
    std::vector<uint8_t> got;
    asker.upstream->send(
        server.endpoint, query("X.tesT", 0xbeef), Transport::udp, 4s,
        [&](const Outcome& o) { got.assign(o.reply.begin(), o.reply.end()); });
    asker.until([&] { return !got.empty(); });
    CHECK(text(got) == "NOERROR rd ra\nanswer X.tesT. 60 A 203.0.113.1\nopt 1232\n");
    CHECK((got[0] == 0xbe && got[1] == 0xef));
    REQUIRE(server.seen.size() == 1);
    CHECK(server.seen[0].id() != 0xbeef);
    CHECK(server.seen[0].has_opt());
  }
}

TEST_CASE("a link-local server is asked on its interface, over UDP and TCP") {
  auto loop = *Loop::open();
  ScriptedServer server(loop, "::", good);
  server.tcp_reply = good;
  REQUIRE(add_link_local("fe80::53"));
  const Endpoint there{*Address::parse("fe80::53"), server.endpoint.port, 1};
  const Endpoint elsewhere{there.address, there.port, 4711};
  Probing asker(loop, {there, elsewhere});
  CHECK(asker.ask(there, query("x.test")) == kGood);
  CHECK(asker.ask(there, query("x.test"), 4s, Transport::tcp) == kGood);
  CHECK(server.seen_tcp.size() == 1);
  for (const auto first : {Transport::udp, Transport::tcp})
    CHECK(asker.ask(elsewhere, query("x.test"), 4s, first) == "none");
}

TEST_CASE("500 queries in flight have 500 ports and mixed case, and ids from a CSPRNG") {
  auto loop = *Loop::open();
  ScriptedServer server(loop, "127.0.0.1", none);
  Probing asker(loop, {server.endpoint});
  for (int i = 0; i < 500; ++i)
    asker.send(server.endpoint, query("n" + std::to_string(i) + ".test"));
  asker.until([&] { return server.seen.size() == 500; });
  CHECK(asker.upstream->in_flight() == 500);
  std::set<uint16_t> ports;
  for (const auto& s : server.seen) {
    ports.insert(s.port());
    CHECK(is_mixed(s.name()));
  }
  CHECK(ports.size() >= 490);
  server.reply = good;
  for (const auto& s : server.seen) server.answer(s, good(s.query));
  asker.until([&] { return asker.replied == 500; });

  // Again, one after the other: no query's port or id says anything about the next.
  server.seen.clear();
  for (int i = 0; i < 1500; ++i) asker.ask(server.endpoint, query("x.test"));
  std::set<uint16_t> ids;
  std::array<int, 16> ones{};
  ports.clear();
  size_t steps = 0;
  for (size_t i = 0; i < server.seen.size(); ++i) {
    const auto& s = server.seen[i];
    ports.insert(s.port());
    ids.insert(s.id());
    for (size_t bit = 0; bit < 16; ++bit) ones[bit] += s.id() >> bit & 1;
    // A counter would step by one or two each time.
    if (i > 0) steps += std::abs(s.port() - server.seen[i - 1].port()) <= 2;
  }
  CHECK(asker.upstream->sockets() <= 500);
  CHECK(ports.size() > 1400);  // 1461 are expected of 28,232
  CHECK(ids.size() > 1450);    // 1483 are expected
  CHECK(steps < 20);
  // Six standard deviations of 1500 fair coins.
  for (const int n : ones) CHECK(std::abs(n - 750) < 117);
}

TEST_CASE("a truncated reply is fetched over TCP") {
  auto loop = *Loop::open();
  ScriptedServer server(loop, "127.0.0.1", truncated);
  Probing asker(loop, {server.endpoint});
  const auto got = asker.ask(server.endpoint, query("big.test"));
  CHECK(got.starts_with("NOERROR rd ra\nanswer big.test. 1 TXT "));
  CHECK(got.size() > 3000);
  CHECK(asker.upstream->statistics().truncated == 1);
}

TEST_CASE("a reply of 1200 bytes is taken over UDP, a larger one fetched over TCP") {
  auto loop = *Loop::open();
  size_t size = 1100;
  ScriptedServer server(loop, "127.0.0.1", [&](Bytes q) {
    return make_reply(q, "NOERROR", {"answer x.test 1 TXT " + std::string(size, 'x')});
  });
  Probing asker(loop, {server.endpoint});
  CHECK(asker.ask(server.endpoint, query("x.test")).starts_with("NOERROR"));
  CHECK(server.accepted == 0);
  size = 1300;
  CHECK(asker.ask(server.endpoint, query("big.test")).size() > 3000);
  CHECK(server.accepted == 1);
}

TEST_CASE("queries over TCP share a connection, and none is sent over UDP") {
  auto loop = *Loop::open();
  ScriptedServer server(loop, "::1", good);
  server.tcp_reply = good;
  Probing asker(loop, {server.endpoint});
  for (int i = 0; i < 50; ++i)
    asker.send(server.endpoint, query("x.test"), 4s, Transport::tcp);
  asker.until([&] { return asker.ended() == 50; });
  CHECK(asker.replied == 50);
  CHECK(asker.last == kGood);
  CHECK(asker.ask(server.endpoint, query("x.test"), 4s, Transport::tcp) == kGood);
  CHECK(server.accepted == 1);
  CHECK(server.seen.empty());
}

TEST_CASE("queries in flight outlive a change of servers, and the end of everything") {
  auto loop = *Loop::open();
  ScriptedServer slow(loop, "127.0.0.1", none), server(loop, "127.0.0.1", good);
  Probing asker(loop, {slow.endpoint});
  asker.send(slow.endpoint, query("x.test"));
  asker.send(slow.endpoint, query("x.test"), 4s, Transport::tcp);
  asker.until([&] { return slow.seen.size() == 1; });
  slow.reply = slow.tcp_reply = good;
  REQUIRE(asker.upstream->set_servers(std::vector{server.endpoint}));
  asker.until([&] { return asker.replied == 2; });  // one by its repetition
  CHECK(asker.last == kGood);
  CHECK(asker.ask(slow.endpoint, query("x.test")) == "none");
  CHECK(asker.ask(server.endpoint, query("x.test")) == kGood);

  server.reply = server.tcp_reply = none;
  asker.send(server.endpoint, query("never.test"));
  asker.send(server.endpoint, query("never.test"), 4s, Transport::tcp);
  asker.until([&] { return server.seen_tcp.size() == 1; });
  const size_t before = asker.ended();
  asker.upstream.reset();
  CHECK(asker.ended() == before);
}

TEST_CASE("a silent server, a closed port and an unknown server are told apart") {
  auto loop = *Loop::open();
  ScriptedServer silent(loop, "127.0.0.1", none);
  const Endpoint closed = *Endpoint::parse("127.0.0.1:9");
  const Endpoint unknown = *Endpoint::parse("127.0.0.1:10");
  const Endpoint nowhere = *Endpoint::parse("203.0.113.1:53");
  Probing asker(loop, {silent.endpoint, closed, nowhere});
  CHECK(asker.ask(silent.endpoint, query("x.test"), 200ms) == "late");
  for (const auto first : {Transport::udp, Transport::tcp})
    for (const auto& e : {closed, unknown, nowhere}) {
      const auto begin = Loop::now();
      CHECK(asker.ask(e, query("x.test"), 4s, first) == "none");
      CHECK(Loop::now() - begin < 1s);
    }
  CHECK(asker.ask(silent.endpoint, std::vector<uint8_t>(40, 1)) == "none");
}
