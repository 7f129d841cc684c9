// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/uapi_client.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "agent/base/owned.hh"
#include "netlink/tunnel.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;
using namespace wigeon::netlink;
using namespace std::chrono_literals;

namespace {

// A server that takes one client and gives this to it.
class Server {
 public:
  explicit Server(const std::string& path)
      : listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un a{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(a.sun_path, sizeof a.sun_path - 1);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
  }
  ~Server() {
    if (thread_.joinable()) thread_.join();
  }
  enum class Then { hang_up, wait };
  void answer(std::vector<std::string> pieces, Then then) {
    thread_ = std::thread([this, pieces = std::move(pieces), then] {
      const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
      char buffer[4096];
      while (request_.find("\n\n") == std::string::npos) {
        const ssize_t n = ::read(client.get(), buffer, sizeof buffer);
        if (n <= 0) break;
        request_.append(buffer, static_cast<size_t>(n));
      }
      for (const auto& piece : pieces)
        (void)::send(client.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
      if (then == Then::wait) (void)::read(client.get(), buffer, sizeof buffer);
    });
  }
  std::string request() {
    thread_.join();
    return request_;
  }

 private:
  UniqueFd listener_;
  std::string request_;
  std::thread thread_;
};

struct Place {
  TempDir dir;
  std::string path = dir.path() + "/wt0.sock";
};

}  // namespace

TEST_CASE(
    "a reply in pieces is read to its empty line, not to the end of the connection") {
  Place at;
  Server server(at.path);
  server.answer({"listen_port=5", "1820\nerrno", "=0\n", "\n"}, Server::Then::wait);
  UserspaceTunnel tunnel(at.path);
  const auto device = tunnel.get();
  REQUIRE(device);
  CHECK(device->listen_port == 51820);
  CHECK_FALSE(tunnel.kernel());
}

TEST_CASE("a change is one request, an empty one is none") {
  Place at;
  Server server(at.path);
  UserspaceTunnel tunnel(at.path);
  CHECK(tunnel.set({}));
  server.answer({"errno=0\n\n"}, Server::Then::hang_up);
  CHECK(tunnel.set({.listen_port = 9}));
  CHECK(server.request() == "set=1\nlisten_port=9\n\n");
}

TEST_CASE("a refused change names the socket and the errno") {
  Place at;
  Server server(at.path);
  server.answer({"errno=-22\n\n"}, Server::Then::hang_up);
  const auto refused = UserspaceTunnel(at.path).set({.listen_port = 9});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == at.path + ": set: EINVAL: Invalid argument");
}

TEST_CASE("silence, endless talk and a hang-up are three errors") {
  Place silent, endless, gone;
  Server s1(silent.path), s2(endless.path), s3(gone.path);
  s1.answer({"errno=0\n"}, Server::Then::wait);
  CHECK(uapi::ask(silent.path, uapi::kGet, {50ms, 5s}).error().code == ETIMEDOUT);
  s2.answer({std::string(5000, 'x')}, Server::Then::wait);
  CHECK(uapi::ask(endless.path, uapi::kGet, {5s, 5s}, 4096).error().code == EMSGSIZE);
  s3.answer({"listen_port=1\n"}, Server::Then::hang_up);
  CHECK(UserspaceTunnel(gone.path).get().error().code == EBADMSG);
}

TEST_CASE("one who talks too slowly is given up in the end") {
  Place at;
  Server server(at.path);
  server.answer({"errno=0\n"}, Server::Then::wait);
  CHECK(uapi::ask(at.path, uapi::kGet, {5s, 50ms}).error().code == ETIMEDOUT);
}

TEST_CASE("one who hangs is not asked again at once, and is again after a pause") {
  Place at;
  UniqueFd hung(::socket(AF_UNIX, SOCK_STREAM, 0));  // accepts, as the kernel does for it
  sockaddr_un a{.sun_family = AF_UNIX, .sun_path = {}};
  at.path.copy(a.sun_path, sizeof a.sun_path - 1);
  REQUIRE(::bind(hung.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0);
  REQUIRE(::listen(hung.get(), 8) == 0);
  const auto waiting = [&] {  // who has connected since the last time
    int n = 0;
    for (;; ++n) {
      const UniqueFd client(::accept4(hung.get(), nullptr, nullptr, 0));
      if (!client) return n;
    }
  };
  REQUIRE(::fcntl(hung.get(), F_SETFL, O_NONBLOCK) == 0);

  UserspaceTunnel tunnel(at.path, {50ms, 5s}, 400ms);
  const auto first = tunnel.get();
  REQUIRE_FALSE(first);
  CHECK(first.error().code == ETIMEDOUT);
  CHECK(first.error().what.ends_with("the process hangs and is asked again after 0.4 s"));
  for (int i = 0; i < 5; ++i) CHECK(tunnel.get().error().what == first.error().what);
  CHECK(tunnel.set({.listen_port = 9}).error().what == first.error().what);
  CHECK(waiting() == 1);
  std::this_thread::sleep_for(450ms);
  CHECK(tunnel.get().error().what.ends_with("asked again after 0.8 s"));
  CHECK(waiting() == 1);

  hung.reset();
  std::filesystem::remove(at.path);
  Server well(at.path);
  well.answer({"listen_port=51820\nerrno=0\n\n"}, Server::Then::hang_up);
  std::this_thread::sleep_for(850ms);
  CHECK(tunnel.get());
}

TEST_CASE("nobody there is ENOENT or ECONNREFUSED, at once") {
  Place at;
  CHECK(uapi::ask(at.path, uapi::kGet).error().code == ENOENT);
  { const Server dead(at.path); }
  CHECK(uapi::ask(at.path, uapi::kGet).error().code == ECONNREFUSED);
  CHECK(uapi::ask(std::string(200, 'x'), uapi::kGet).error().code == ENAMETOOLONG);
}
