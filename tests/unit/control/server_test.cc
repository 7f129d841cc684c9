// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/server.hh"

#include "tests/unit/control/served.hh"

using namespace wigeon;

TEST_CASE("a request is answered, and the next one on the same connection") {
  Served served;
  RawClient client(served.path());
  client.send(kAskVersion);
  REQUIRE(served.until([&] { return client.lines() == 1; }));
  client.send(kAskVersion);
  REQUIRE(served.until([&] { return client.lines() == 2; }));
  CHECK(client.received() == std::string(kVersionAnswer) + std::string(kVersionAnswer));
}

TEST_CASE("requests sent at once are answered one by one in their order") {
  Served served;
  std::vector<Server::Reply> replies;
  served->on("later", Permission::read,
             [&](Request, Server::Reply reply) { replies.push_back(std::move(reply)); });
  RawClient client(served.path());
  client.send("{\"id\":1,\"method\":\"later\"}\n{\"id\":2,\"method\":\"later\"}\n" +
              std::string(kAskVersion));
  REQUIRE(served.until([&] { return replies.size() == 1; }));
  for (int i = 0; i < 20; ++i)
    REQUIRE(served.loop.run_once(std::chrono::milliseconds(1)));
  CHECK(replies.size() == 1);
  replies[0].result("{}");
  REQUIRE(served.until([&] { return replies.size() == 2; }));
  replies[1].result("{}");
  REQUIRE(served.until([&] { return client.lines() == 3; }));
  CHECK(client.received() == "{\"id\":1,\"result\":{}}\n{\"id\":2,\"result\":{}}\n" +
                                 std::string(kVersionAnswer));
}

TEST_CASE("a client that only ended its own writing still gets its answer") {
  Served served;
  RawClient client(served.path());
  client.send(kAskVersion);
  client.end_writing();
  REQUIRE(served.until([&] { return client.ended(); }));
  CHECK(client.received() == kVersionAnswer);
  CHECK(served->connections() == 0);
}

TEST_CASE("a reply that is dropped answers an error") {
  Served served;
  served->on("lazy", Permission::read, [](Request, Server::Reply) {});
  RawClient client(served.path());
  client.send("{\"id\":1,\"method\":\"lazy\"}\n");
  REQUIRE(served.until([&] { return client.lines() == 1; }));
  CHECK(client.received().find("the daemon gave the request up") != std::string::npos);
}

TEST_CASE("an unknown method is a usage error and the connection goes on") {
  Served served;
  RawClient client(served.path());
  client.send("{\"id\":3,\"method\":\"dance\"}\n" + std::string(kAskVersion));
  REQUIRE(served.until([&] { return client.lines() == 2; }));
  CHECK(client.received() ==
        "{\"id\":3,\"error\":{\"code\":\"usage\",\"exit\":2,"
        "\"message\":\"unknown method \\\"dance\\\"\"}}\n" +
            std::string(kVersionAnswer));
}

TEST_CASE("garbage is answered with a reason and ends the connection") {
  Served served;
  RawClient client(served.path());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(served.until([&] { return client.ended(); }));
  CHECK(client.received().starts_with("{\"id\":0,\"error\":{\"code\":\"usage\""));
  CHECK(served->connections() == 0);
}

TEST_CASE("changes come one at a time, four wait and the next is told busy") {
  Served served;
  std::vector<Server::Reply> replies;
  served->on("up", Permission::change,
             [&](Request, Server::Reply reply) { replies.push_back(std::move(reply)); });
  std::vector<RawClient> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back(served.path());
    clients.back().send("{\"id\":1,\"method\":\"up\"}\n");
    REQUIRE(served.until([&] { return served->connections() == clients.size(); }));
    for (int n = 0; n < 5; ++n)
      REQUIRE(served.loop.run_once(std::chrono::milliseconds(1)));
  }
  REQUIRE(served.until([&] { return clients[5].lines() == 1; }));
  CHECK(clients[5].received().find("\"busy\"") != std::string::npos);
  CHECK(replies.size() == 1);

  RawClient reader(served.path());
  reader.send(kAskVersion);
  CHECK(served.until([&] { return reader.lines() == 1; }));

  clients[1].vanish();  // waiting: never begins
  REQUIRE(served.until([&] { return served->connections() == 6; }));
  for (size_t turn = 0; turn < 4; ++turn) {
    CHECK(replies.size() == turn + 1);
    replies[turn].result("{}");
    if (turn < 3) REQUIRE(served.until([&] { return replies.size() == turn + 2; }));
  }
  CHECK(served.until([&] { return clients[4].lines() == 1; }));
}

TEST_CASE("a change whose client has gone keeps its turn until it is done") {
  Served served;
  std::vector<Server::Reply> replies;
  served->on("up", Permission::change,
             [&](Request, Server::Reply reply) { replies.push_back(std::move(reply)); });
  RawClient first(served.path());
  first.send("{\"id\":1,\"method\":\"up\"}\n");
  REQUIRE(served.until([&] { return replies.size() == 1; }));
  CHECK_FALSE(replies[0].abandoned());
  first.vanish();
  REQUIRE(served.until([&] { return replies[0].abandoned(); }));
  RawClient second(served.path());
  second.send("{\"id\":1,\"method\":\"up\"}\n");
  REQUIRE(served.until([&] { return served->connections() == 1; }));
  for (int n = 0; n < 5; ++n) REQUIRE(served.loop.run_once(std::chrono::milliseconds(1)));
  CHECK(replies.size() == 1);
  replies[0].result("{}");
  CHECK(served.until([&] { return replies.size() == 2; }));
}

TEST_CASE("a change that only waits to answer lets the next one begin") {
  Served served;
  std::vector<Server::Reply> replies;
  served->on("up", Permission::change,
             [&](Request, Server::Reply reply) { replies.push_back(std::move(reply)); });
  RawClient first(served.path()), second(served.path()), third(served.path());
  for (auto* client : {&first, &second, &third})
    client->send("{\"id\":1,\"method\":\"up\"}\n");
  REQUIRE(
      served.until([&] { return served->connections() == 3 && replies.size() == 1; }));
  replies[0].end_turn();
  replies[0].end_turn();
  REQUIRE(served.until([&] { return replies.size() == 2; }));
  replies[0].result("{}");  // has no turn to give away any more
  REQUIRE(served.until([&] { return first.lines() == 1; }));
  CHECK(replies.size() == 2);
  replies[1].result("{}");
  CHECK(served.until([&] { return replies.size() == 3; }));
}

TEST_CASE("many changes that end at once do not pile up on the stack") {
  Served served;
  int calls = 0;
  served->on("up", Permission::change, [&](Request, Server::Reply reply) {
    ++calls;
    reply.result("{}");
  });
  RawClient client(served.path());
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "{\"id\":1,\"method\":\"up\"}\n";
  REQUIRE(client.send(many) == many.size());
  CHECK(served.until([&] { return client.lines() == 2000; }));
  CHECK(calls == 2000);
}

TEST_CASE("a handler may destroy the server, and a reply may outlive it") {
  TempDir dir;
  auto loop = *Loop::open();
  const auto lock = *Lock::take(dir.path());
  std::optional<Server> server = *Server::open(loop, {.path = dir.path() + "/s"}, lock);
  std::optional<Server::Reply> kept;
  server->on("end", Permission::change, [&](Request, Server::Reply reply) {
    server.reset();
    kept.emplace(std::move(reply));
  });
  RawClient client(dir.path() + "/s");
  client.send("{\"id\":1,\"method\":\"end\"}\n");
  for (int i = 0; i < 1000 && !client.ended(); ++i)
    REQUIRE(loop.run_once(std::chrono::milliseconds(1)));
  CHECK(client.ended());
  REQUIRE(kept);
  CHECK(kept->abandoned());
  kept->result("{}");
}
