// SPDX-License-Identifier: GPL-2.0-or-later
// A Server with real sockets on the loopback of a network namespace of our own, and
// upstream servers that reply when the test says so.
#pragma once

#include <arpa/inet.h>

#include <catch2/catch.hpp>

#include "dns/server.hh"
#include "tests/scenario/message_text.hh"
#include "tests/unit/dns/own_network.hh"

namespace wigeon::dns {

using namespace std::chrono_literals;

struct Silent : Exchange {
  std::vector<Done> waiting{};
  Result<void> set_servers(std::span<const Endpoint>) override { return {}; }
  void send(const Endpoint&, Bytes, Transport, std::chrono::milliseconds,
            Done done) override {
    waiting.push_back(std::move(done));
  }
};

inline constexpr char kRecord[] = "answer a.corp.test. 60 A 100.64.0.1\n";

struct Fixture {
  Loop loop = *Loop::open();
  Silent exchange{};
  Service service{exchange};
  Server server;
  uint16_t port = 0;  // of its listeners on 127.0.0.1 and ::1

  explicit Fixture(TcpLimits limits = {}) : server(loop, service, limits) {
    enter_own_network();
    REQUIRE(service.set_upstreams({.originals = {*Endpoint::parse("192.0.2.1:53")}}));
    service.replace_zones(*Zones::build(
        {{"corp.test", {{"a.corp.test", type::kA, 60, "100.64.0.1"}}}}, {}));
    const std::vector<Address> addresses{*Address::parse("127.0.0.1"),
                                         *Address::parse("::1")};
    auto sockets = open_listeners(addresses, 0);
    REQUIRE(sockets);
    port = sockets->front().endpoint.port;
    REQUIRE(server.listen({.open = std::move(*sockets)}));
    REQUIRE(server.start());
  }

  void turn(std::chrono::milliseconds how_long = 20ms) {
    const auto end = Loop::now() + how_long;
    while (Loop::now() < end) REQUIRE(loop.run_once(2ms));
  }
  // Until the condition holds; fails after 30 seconds.
  void until(auto condition) {
    const auto end = Loop::now() + 30s;
    while (!condition()) {
      REQUIRE(Loop::now() < end);
      REQUIRE(loop.run_once(2ms));
    }
  }

  UniqueFd client(int kind, const char* to = "127.0.0.1", const char* from = nullptr) {
    const auto address = *Address::parse(to);
    UniqueFd fd(::socket(static_cast<int>(address.family()), kind | SOCK_NONBLOCK, 0));
    sockaddr_storage storage;
    if (from) {
      const auto size = to_sockaddr({*Address::parse(from), 0}, storage);
      REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) == 0);
    }
    const auto size = to_sockaddr({address, port}, storage);
    const int r = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), size);
    REQUIRE((r == 0 || errno == EINPROGRESS));
    return fd;
  }
};

inline void send_all(int fd, Bytes bytes) {
  REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
}

inline std::vector<uint8_t> framed(Bytes message) {
  std::vector<uint8_t> out{static_cast<uint8_t>(message.size() >> 8),
                           static_cast<uint8_t>(message.size())};
  out.insert(out.end(), message.begin(), message.end());
  return out;
}

// Empty: nothing there. "closed": the other side is.
inline std::string receive(int fd) {
  std::string out(65536, '\0');
  const ssize_t n = ::recv(fd, out.data(), out.size(), MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno == ECONNRESET)) return "closed";
  out.resize(n < 0 ? 0 : static_cast<size_t>(n));
  return out;
}

inline std::string text_of(std::string_view bytes) {
  return text({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

inline const auto kQuery = make_query({.name = "a.corp.test"});

}  // namespace wigeon::dns
