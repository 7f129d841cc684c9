// SPDX-License-Identifier: GPL-2.0-or-later
// A control server over a real socket in a directory of the test's own, and raw clients
// of it.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "agent/control/server.hh"
#include "tests/harness/temp_dir.hh"

namespace wigeon {

class Served {
 public:
  explicit Served(ControlLimits limits = {}, std::optional<gid_t> group = {})
      : server_(*Server::open(loop, {.path = path(), .group = group, .limits = limits},
                              lock_)) {
    server_.on("version", Permission::read, [](Request, Server::Reply reply) {
      reply.result(encode(VersionResult{"1.2.3"}));
    });
  }

  [[nodiscard]] std::string path() const { return dir.path() + "/wigeon.sock"; }
  Server& operator*() { return server_; }
  Server* operator->() { return &server_; }

  // Runs the loop until this holds, for twenty seconds at most.
  bool until(const std::function<bool()>& holds) {
    const auto end = Loop::now() + std::chrono::seconds(20);
    while (!holds()) {
      if (Loop::now() > end) return false;
      REQUIRE(loop.run_once(std::chrono::milliseconds(1)));
    }
    return true;
  }

  TempDir dir{};
  Loop loop = *Loop::open();

 private:
  Lock lock_ = *Lock::take(dir.path());
  Server server_;
};

// A client that does what it is told and nothing else.
class RawClient {
 public:
  explicit RawClient(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un sun{};
    sun.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof sun.sun_path);
    std::memcpy(sun.sun_path, path.data(), path.size());
    REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&sun), sizeof sun) ==
            0);
  }
  // How much the socket took.
  size_t send(std::string_view bytes) {
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return n < 0 ? 0 : static_cast<size_t>(n);
  }
  // Reads what there is.
  const std::string& received() {
    char chunk[65536];
    for (;;) {
      const ssize_t n = ::recv(fd_.get(), chunk, sizeof chunk, 0);
      if (n > 0) {
        in_.append(chunk, static_cast<size_t>(n));
        continue;
      }
      if (n == 0 || errno != EAGAIN) ended_ = true;
      return in_;
    }
  }
  size_t lines() {
    const auto& s = received();
    return static_cast<size_t>(std::count(s.begin(), s.end(), '\n'));
  }
  bool ended() {
    (void)received();
    return ended_;
  }
  void end_writing() { ::shutdown(fd_.get(), SHUT_WR); }
  void vanish() { fd_.reset(); }

 private:
  UniqueFd fd_;
  std::string in_{};
  bool ended_ = false;
};

// What f() returns, which may block on the server: it runs in a thread while the server
// runs here.
auto beside(Served& served, auto f) -> decltype(f()) {
  decltype(f()) result{};
  std::atomic<bool> done = false;
  std::thread thread([&] {
    result = f();
    done = true;
  });
  const bool ended = served.until([&] { return done.load(); });
  thread.join();
  REQUIRE(ended);
  return result;
}

inline constexpr std::string_view kAskVersion = "{\"id\":7,\"method\":\"version\"}\n";
inline constexpr std::string_view kVersionAnswer =
    "{\"id\":7,\"result\":{\"version\":\"1.2.3\"}}\n";

}  // namespace wigeon
