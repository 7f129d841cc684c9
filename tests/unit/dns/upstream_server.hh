// SPDX-License-Identifier: GPL-2.0-or-later
// A scripted DNS server on the loopback of an own network namespace.
#pragma once

#include <sys/socket.h>
#include <deque>
#include <functional>
#include <vector>

#include "dns/framing.hh"
#include "dns/listeners.hh"
#include "dns/upstream.hh"
#include "tests/scenario/message_text.hh"
#include "tests/unit/dns/own_network.hh"

namespace wigeon::dns {

using Datagram = std::vector<uint8_t>;

// What every reply of `good` says, as text() writes it.
inline constexpr char kGood[] =
    "NOERROR rd ra\nanswer x.test. 60 A 203.0.113.1\nopt 1232\n";
inline Datagram good(Bytes query) {
  return make_reply(query, "NOERROR", {"answer x.test 60 A 203.0.113.1"});
}
inline Datagram none(Bytes) { return {}; }
inline Datagram truncated(Bytes query) {
  return make_reply(query, "NOERROR", {}, flag::kRa | flag::kTc);
}

struct ScriptedServer {
  struct Seen {
    Datagram query{};
    sockaddr_storage from{};
    socklen_t from_size = 0;
    [[nodiscard]] uint16_t id() const {
      return static_cast<uint16_t>(query[0] << 8 | query[1]);
    }
    [[nodiscard]] uint16_t port() const {
      return from_sockaddr(reinterpret_cast<const sockaddr*>(&from), from_size)->port;
    }
    [[nodiscard]] bool has_opt() const { return query[11] == 1; }
    // The letters of its question as they came.
    [[nodiscard]] std::string name() const {
      std::string letters;
      for (size_t at = 12; query[at] != 0; at += 1u + query[at]) {
        letters.append(query.begin() + static_cast<ptrdiff_t>(at) + 1,
                       query.begin() + static_cast<ptrdiff_t>(at) + 1 + query[at]);
        letters += '.';
      }
      return letters;
    }
  };
  using Script = std::function<Datagram(Bytes)>;

  Endpoint endpoint{};
  UniqueFd udp{}, tcp{};
  Script reply{};    // to a datagram; empty: none
  Script forgery{};  // sent before it
  Script tcp_reply{[](Bytes q) {
    return make_reply(q, "NOERROR", {"answer big.test 1 TXT " + std::string(3000, 'x')});
  }};
  // Once a query has come over TCP: so many bytes of the reply, then the end.
  std::optional<size_t> cut{};
  bool closes = false;  // after each reply
  std::deque<Seen> seen{}, seen_tcp{};
  size_t accepted = 0;

  ScriptedServer(Loop& loop, const char* address, Script script)
      : reply(std::move(script)), loop_(loop) {
    enter_own_network();
    const std::vector<Address> addresses{*Address::parse(address)};
    auto sockets = *open_listeners(addresses, 0);
    endpoint = sockets[0].endpoint;
    udp = std::move(sockets[0].fd);
    tcp = std::move(sockets[1].fd);
    const int room = 4 << 20;
    ::setsockopt(udp.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    watches_.push_back(*loop.watch(udp.get(), EPOLLIN, [this](uint32_t) { ready(); }));
    watches_.push_back(*loop.watch(tcp.get(), EPOLLIN, [this](uint32_t) { accept(); }));
  }
  void answer(const Seen& to, const Datagram& with) const {
    ::sendto(udp.get(), with.data(), with.size(), 0,
             reinterpret_cast<const sockaddr*>(&to.from), to.from_size);
  }

 private:
  struct Connection {
    UniqueFd fd;
    Framer framer{};
    Loop::Watch watch{};
  };
  void ready() {
    uint8_t bytes[2048];
    for (;;) {
      Seen s{.from_size = sizeof s.from};
      const ssize_t n = ::recvfrom(udp.get(), bytes, sizeof bytes, MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&s.from), &s.from_size);
      if (n <= 0) return;
      s.query.assign(bytes, bytes + n);
      seen.push_back(s);
      for (const auto& out : {forgery ? forgery(s.query) : Datagram{}, reply(s.query)})
        if (!out.empty()) answer(s, out);
    }
  }
  void accept() {
    const int fd = ::accept4(tcp.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    ++accepted;
    auto& c = *connections_.emplace_back(
        std::make_unique<Connection>(Connection{.fd = UniqueFd(fd)}));
    c.watch = *loop_.watch(fd, EPOLLIN, [this, &c](uint32_t) { read(c); });
  }
  void read(Connection& c) {
    const auto space = c.framer.space(4096);
    const ssize_t n = ::recv(c.fd.get(), space.data(), space.size(), 0);
    if (n <= 0) return close(c);
    c.framer.commit(static_cast<size_t>(n));
    while (const auto query = c.framer.next()) {
      seen_tcp.push_back({.query = {query->begin(), query->end()}});
      Datagram out;
      append_framed(out, tcp_reply(*query));
      if (out.size() == 2) continue;  // no reply
      if (cut) out.resize(*cut);
      ::send(c.fd.get(), out.data(), out.size(), MSG_NOSIGNAL);
      if (closes || cut) return close(c);
    }
  }
  static void close(Connection& c) {
    c.watch.reset();
    c.fd.reset();
  }

  Loop& loop_;
  std::vector<std::unique_ptr<Connection>> connections_{};
  std::vector<Loop::Watch> watches_{};
};

inline Datagram query(std::string name, uint16_t id = 77) {
  return make_query({.name = std::move(name), .id = id, .edns = 1232});
}

}  // namespace wigeon::dns
