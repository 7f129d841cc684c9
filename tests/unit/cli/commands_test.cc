// SPDX-License-Identifier: GPL-2.0-or-later
// up, down, version and debug against a server that plays the daemon.
#include "agent/base/file.hh"
#include "tests/unit/cli/served_cli.hh"

using namespace wigeon;

TEST_CASE("up says what NetBird says") {
  Served served;
  UpParams asked;
  bool already = false;
  served->on("up", Permission::change, [&](Request request, Server::Reply reply) {
    asked = *decode_up(request.params);
    reply.result(encode(ChangeResult{already}));
  });
  CHECK(wigeon_with(served, {"up"}).out == "Connected\n");
  CHECK(asked == UpParams{});
  already = true;
  const auto output = wigeon_with(served, {"up", "--wait", "--force"});
  CHECK(output.out == "Already connected\n");
  CHECK(output.exit == 0);
  CHECK(asked == UpParams{.wait = true, .force = true});
}

TEST_CASE("up opens the map itself and sends its bytes") {
  Served served;
  UpParams asked;
  served->on("up", Permission::change, [&](Request request, Server::Reply reply) {
    asked = *decode_up(request.params);
    reply.fail(Code::invalid_config, "/Serial: must be a number");
  });
  const auto file = served.dir.path() + "/map.json";
  const std::string bytes("{\"Serial\":\xff\0}", 12);
  REQUIRE(replace_file(file, bytes, 0600));
  const auto output = wigeon_with(served, {"up", "--map", file});
  CHECK(asked.map == bytes);
  CHECK(output.exit == 7);
  CHECK(output.err == "Error: /Serial: must be a number\n");
  CHECK(wigeon_with(served, {"up", "--map", served.dir.path()}).exit == 1);
}

TEST_CASE("up gives up in time") {
  Served served;
  std::optional<Server::Reply> kept;
  served->on("up", Permission::change,
             [&](Request, Server::Reply reply) { kept.emplace(std::move(reply)); });
  const auto output = wigeon_with(served, {"up", "--wait", "--timeout", "50ms"});
  CHECK(output.exit == 5);
  CHECK(output.err == "Error: the daemon did not answer in time\n");
}

TEST_CASE("down says disconnected") {
  Served served;
  served->on("down", Permission::change,
             [&](Request, Server::Reply reply) { reply.result(encode(ChangeResult{})); });
  CHECK(wigeon_with(served, {"down"}).out == "Disconnected\n");
}

TEST_CASE("the daemon's own version can be asked for") {
  Served served;
  CHECK(wigeon_with(served, {"version", "--daemon"}).out == "1.2.3\n");
}

TEST_CASE("the log level is set for the daemon") {
  Served served;
  std::string level;
  served->on("log_level", Permission::root_read,
             [&](Request request, Server::Reply reply) {
               level = decode_log_level(request.params)->level;
               reply.result("{}");
             });
  CHECK(wigeon_with(served, {"debug", "log", "level", "debug"}).out ==
        "Log level set successfully to debug\n");
  CHECK(level == "debug");
}

TEST_CASE("a daemon that does not know a method is a usage error") {
  Served served;
  CHECK(wigeon_with(served, {"down"}).exit == 2);
}
