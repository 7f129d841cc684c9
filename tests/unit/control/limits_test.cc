// SPDX-License-Identifier: GPL-2.0-or-later
// What misbehaving clients get, and that nobody else notices.
#include <sys/resource.h>

#include "tests/unit/control/served.hh"

using namespace wigeon;
using namespace std::chrono_literals;

TEST_CASE("half a request is given up after a while and blocks nobody") {
  Served served({.first_request = 300ms});
  RawClient half(served.path());
  half.send("{\"id\":1,\"meth");
  RawClient other(served.path());
  other.send(kAskVersion);
  REQUIRE(served.until([&] { return other.lines() == 1; }));
  REQUIRE(served.until([&] { return half.ended(); }));
  CHECK(half.received().find("\"timeout\"") != std::string::npos);
}

TEST_CASE("dribbling bytes does not extend the time for a request") {
  Served served({.first_request = 300ms});
  RawClient slow(served.path());
  int sent = 0;
  REQUIRE(served.until([&] {
    if (sent < 1000000) sent += static_cast<int>(slow.send(" "));
    return slow.ended();
  }));
}

TEST_CASE("a client that vanishes in the middle of a request leaves nothing") {
  Served served;
  RawClient client(served.path());
  client.send("{\"id\":1,");
  REQUIRE(served.until([&] { return served->connections() == 1; }));
  client.vanish();
  CHECK(served.until([&] { return served->connections() == 0; }));
}

TEST_CASE("an idle connection is closed") {
  Served served({.idle = 50ms});
  RawClient client(served.path());
  client.send(kAskVersion);
  REQUIRE(served.until([&] { return client.lines() == 1; }));
  CHECK(served.until([&] { return client.ended(); }));
}

TEST_CASE("an answer is given up when the client does not read it, and others go on") {
  Served served({.reading = 1000ms});
  const std::string big = "{\"x\":\"" + std::string(1u << 20, 'x') + "\"}";
  served->on("big", Permission::read,
             [&](Request, Server::Reply reply) { reply.result(big); });
  RawClient stuck(served.path());
  stuck.send("{\"id\":1,\"method\":\"big\"}\n");
  REQUIRE(served.until([&] { return served->connections() == 1; }));
  for (int i = 0; i < 10; ++i) REQUIRE(served.loop.run_once(1ms));
  RawClient reader(served.path());
  reader.send("{\"id\":1,\"method\":\"big\"}\n");
  REQUIRE(served.until([&] { return reader.lines() == 1; }));
  CHECK(reader.received().size() > big.size());
  reader.vanish();
  CHECK(served.until([&] { return served->connections() == 0; }));
}

TEST_CASE("of 70 connections by one user eight stay and the rest are told busy") {
  Served served;
  std::vector<RawClient> clients;
  for (int i = 0; i < 70; ++i) {
    clients.emplace_back(served.path());
    for (int n = 0; n < 3; ++n) REQUIRE(served.loop.run_once(0ms));
  }
  REQUIRE(served.until([&] {
    return std::ranges::count_if(clients, [](auto& c) { return c.ended(); }) == 62;
  }));
  CHECK(served->connections() == 8);
  CHECK(clients.back().received().find("\"busy\"") != std::string::npos);
  clients[0].send(kAskVersion);
  CHECK(served.until([&] { return clients[0].lines() == 1; }));
}

TEST_CASE("the number of connections is bounded for all users together") {
  Served served({.connections = 20, .connections_of_uid = 100});
  std::vector<RawClient> clients;
  for (int i = 0; i < 25; ++i) clients.emplace_back(served.path());
  REQUIRE(served.until([&] {
    return std::ranges::count_if(clients, [](auto& c) { return c.ended(); }) == 5;
  }));
  CHECK(served->connections() == 20);
}

TEST_CASE("a request that is too long is refused before it is whole") {
  Served served({.request = 100'000});
  RawClient client(served.path());
  const std::string chunk(50'000, 'x');
  size_t sent = 0;
  REQUIRE(served.until([&] {
    sent += client.send(chunk);
    return client.ended();
  }));
  CHECK(client.received().find("longer than 100000 bytes") != std::string::npos);
  CHECK(sent < 1'000'000);
}

TEST_CASE("requests half read count against a budget for all connections") {
  Served served({.buffered = 150'000});
  std::vector<RawClient> clients;
  const std::string chunk(60'000, 'x');
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(served.path());
    REQUIRE(clients.back().send(chunk) == chunk.size());
  }
  REQUIRE(served.until([&] {
    return std::ranges::count_if(clients, [](auto& c) { return c.ended(); }) == 2;
  }));
  clients.clear();
  REQUIRE(served.until([&] { return served->connections() == 0; }));
  RawClient after(served.path());
  after.send(kAskVersion);
  CHECK(served.until([&] { return after.lines() == 1; }));
}

TEST_CASE("an answer that is too long becomes an error") {
  Served served({.response = 1000});
  served->on("big", Permission::read, [](Request, Server::Reply reply) {
    reply.result("{\"x\":\"" + std::string(1000, 'x') + "\"}");
  });
  RawClient client(served.path());
  client.send("{\"id\":1,\"method\":\"big\"}\n");
  REQUIRE(served.until([&] { return client.lines() == 1; }));
  CHECK(client.received().find("too long") != std::string::npos);
}

TEST_CASE("running out of descriptors pauses accepting instead of spinning") {
  Served served;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  RawClient client(served.path());
  client.send(kAskVersion);
  const int next = ::dup(0);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  int rounds = 0;
  const auto end = Loop::now() + 100ms;
  for (; Loop::now() < end; ++rounds) (void)served.loop.run_once(100ms);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(rounds < 5);
  CHECK(served.until([&] { return client.lines() == 1; }));
}
