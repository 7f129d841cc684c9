// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/lookup.hh"

#include <poll.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

std::string texts(const std::vector<Endpoint>& endpoints) {
  std::string all;
  for (const auto& e : endpoints) all += e.text() + " ";
  return all;
}

}  // namespace

TEST_CASE("answers of the lookup child are read line by line, bad ones skipped") {
  const auto found = read_lookup(
      "a.example 51820 192.0.2.1\n"
      "b.example 51821 2001:db8::1\n"
      "c.example 0 192.0.2.1\n"
      "d.example 51820 nonsense\n"
      "e.example 1 2001:db8::1 nonsense 192.0.2.1\n"
      "f.example 1\n"
      "cut.example 51820 192.0.2.1");
  CHECK(found.size() == 3);
  CHECK(texts(found.at({"a.example", 51820})) == "192.0.2.1:51820 ");
  CHECK(texts(found.at({"b.example", 51821})) == "[2001:db8::1]:51821 ");
  CHECK(texts(found.at({"e.example", 1})) == "[2001:db8::1]:1 192.0.2.1:1 ");
}

TEST_CASE("of a name's addresses eight are taken") {
  std::string line = "a.example 7";
  for (int i = 1; i <= 9; ++i) line += " 192.0.2." + std::to_string(i);
  const auto found = read_lookup(line + "\n");
  CHECK(found.at({"a.example", 7}).size() == 8);
  CHECK(found.at({"a.example", 7}).back().text() == "192.0.2.8:7");
}

TEST_CASE("a name that needs no server is found by a child without privilege") {
  auto loop = *Loop::open();
  Resolved found;
  int calls = 0;
  auto lookup =
      Lookup::start(loop, {{"localhost", 51820}, {"198.51.100.7", 1}}, [&](Resolved f) {
        found = std::move(f);
        ++calls;
        loop.exit(0);
      });
  REQUIRE(lookup);
  REQUIRE(loop.run());
  CHECK(calls == 1);
  CHECK(found.at({"localhost", 51820}).front().address.is_loopback());
  CHECK(texts(found.at({"198.51.100.7", 1})) == "198.51.100.7:1 ");
}

TEST_CASE("a lookup that is no longer wanted leaves nothing behind") {
  auto loop = *Loop::open();
  {
    auto lookup =
        Lookup::start(loop, {{"localhost", 1}}, [](Resolved) { FAIL("it was dropped"); });
    REQUIRE(lookup);
  }
  auto end = *loop.after(50ms, [&] { loop.exit(0); });
  REQUIRE(loop.run());
}

namespace {

std::vector<HostPort> numbers(int count) {
  std::vector<HostPort> names;
  for (int i = 1; i <= count; ++i)
    names.push_back({"198.51.100.7", static_cast<uint16_t>(i)});
  return names;
}

}  // namespace

TEST_CASE("each of many names is answered") {
  auto loop = *Loop::open();
  size_t found = 0;
  auto lookup = Lookup::start(loop, numbers(2000), [&](Resolved f) {
    found = f.size();
    loop.exit(0);
  });
  REQUIRE(lookup);
  REQUIRE(loop.run());
  CHECK(found == 2000);
}

TEST_CASE("a lookup at work keeps nothing of the daemon's open") {
  auto loop = *Loop::open();
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  const UniqueFd client(pair[0]);
  UniqueFd ours(pair[1]);
  // More than the pipe holds, and nobody reads it: the child lives until it is dropped.
  auto lookup = Lookup::start(loop, numbers(20000), [](Resolved) {});
  REQUIRE(lookup);
  ours.reset();
  pollfd hung_up{.fd = client.get(), .events = POLLIN, .revents = 0};
  CHECK(::poll(&hung_up, 1, 5000) == 1);
}
