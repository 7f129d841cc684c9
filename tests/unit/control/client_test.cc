// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/client.hh"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/unit/control/served.hh"

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

Client::Clock::time_point in(std::chrono::milliseconds d) {
  return Client::Clock::now() + d;
}

// One blocking call, while the server runs here.
Outcome<std::string> call(Served& served, std::string method, std::string params = "{}",
                          std::chrono::milliseconds timeout = 20s) {
  return beside(served, [&]() -> Outcome<std::string> {
    auto client = Client::connect("unix://" + served.path(), in(timeout));
    if (!client) return std::unexpected(client.error());
    return client->call(method, params);
  });
}

}  // namespace

TEST_CASE("a call brings the result") {
  Served served;
  CHECK(*call(served, "version") == R"({"version":"1.2.3"})");
}

TEST_CASE("a map of many megabytes goes through") {
  Served served;
  size_t size = 0;
  served->on("up", Permission::change, [&](Request request, Server::Reply reply) {
    size = decode_up(request.params)->map->size();
    reply.result(encode(ChangeResult{}));
  });
  CHECK(call(served, "up", encode(UpParams{.map = std::string(1u << 20, '{')})));
  CHECK(size == 1u << 20);
}

TEST_CASE("what the daemon says against it comes through") {
  Served served;
  served->on("up", Permission::change, [](Request, Server::Reply reply) {
    reply.fail(Code::invalid_config, "/peerConfig/address: empty");
  });
  const auto result = call(served, "up");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Code::invalid_config);
  CHECK(result.error().message == "/peerConfig/address: empty");
}

TEST_CASE("a daemon that does not answer is a timeout") {
  Served served;
  std::optional<Server::Reply> kept;
  served->on("up", Permission::change,
             [&](Request, Server::Reply reply) { kept.emplace(std::move(reply)); });
  CHECK(call(served, "up", "{}", 50ms).error().code == Code::timeout);
}

TEST_CASE("a connection that is turned away says why") {
  Served served({.connections = 0});
  const auto result = call(served, "version");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Code::busy);
}

TEST_CASE(
    "no socket, and a socket that nobody listens on, mean the daemon is not running") {
  TempDir dir;
  const auto path = dir.path() + "/none.sock";
  const auto missing = Client::connect("unix://" + path, in(1s));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Code::not_running);
  CHECK(missing.error().message == "failed to connect to daemon error: connect to " +
                                       path +
                                       ": No such file or directory\n"
                                       "If the daemon is not running please run: \n"
                                       "systemctl start wigeond\n");
  const UniqueFd stale(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un sun{};
  sun.sun_family = AF_UNIX;
  std::memcpy(sun.sun_path, path.data(), path.size());
  REQUIRE(::bind(stale.get(), reinterpret_cast<const sockaddr*>(&sun), sizeof sun) == 0);
  CHECK(Client::connect(path, in(1s)).error().code == Code::not_running);
}

TEST_CASE("a listener whose queue is full is a timeout") {
  TempDir dir;
  const auto path = dir.path() + "/full.sock";
  const UniqueFd full(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un sun{};
  sun.sun_family = AF_UNIX;
  std::memcpy(sun.sun_path, path.data(), path.size());
  REQUIRE(::bind(full.get(), reinterpret_cast<const sockaddr*>(&sun), sizeof sun) == 0);
  REQUIRE(::listen(full.get(), 0) == 0);
  const RawClient first(path);
  CHECK(Client::connect(path, in(60ms)).error().code == Code::timeout);
}

TEST_CASE("a socket that is not for this user is not permitted") {
  if (::geteuid() != 0) {
    WARN("needs root to become another user");
    return;
  }
  Served served;
  REQUIRE(::chmod(served.dir.path().c_str(), 0755) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setgid(61185) != 0 || ::setuid(61185) != 0) ::_exit(2);
    const auto client = Client::connect(served.path(), in(1s));
    ::_exit(!client && client.error().code == Code::not_permitted ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("only Unix sockets are addresses") {
  for (const std::string address :
       {"", "tcp://127.0.0.1:1", "unix://relative", "wigeon.sock"})
    CHECK(Client::connect(address, in(1s)).error().code == Code::usage);
  CHECK(Client::connect("unix:///" + std::string(200, 'x'), in(1s)).error().code ==
        Code::usage);
}

TEST_CASE("an answer that makes no sense is an error") {
  TempDir dir;
  const auto lock = *Lock::take(dir.path());
  const auto path = dir.path() + "/s";
  const UniqueFd odd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un sun{};
  sun.sun_family = AF_UNIX;
  std::memcpy(sun.sun_path, path.data(), path.size());
  REQUIRE(::bind(odd.get(), reinterpret_cast<const sockaddr*>(&sun), sizeof sun) == 0);
  REQUIRE(::listen(odd.get(), 4) == 0);
  for (const std::string answer :
       {"hello\n", "", "{\"id\":2,\"result\":{}}\n", "{\"id\":0,\"result\":{}}\n",
        "{\"id\":1,\"result\":[]}\n", "{\"id\":1}\n"}) {
    std::thread daemon([&] {
      const UniqueFd one(::accept(odd.get(), nullptr, nullptr));
      (void)!::send(one.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    });
    auto client = Client::connect(path, in(2s));
    const auto result = client->call("version");
    daemon.join();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Code::error);
  }
}
