// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/redirect/traffic.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <functional>
#include <thread>
#include <vector>

#include "agent/base/owned.hh"
#include "dns/message.hh"
#include "tests/bench/netlink/measure.hh"
#include "tests/bench/netlink/process.hh"

namespace wigeon::bench {
namespace {

constexpr size_t kUnderWay = 32;
constexpr int kPatienceMs = 1000;

double own_cpu() {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

struct Pair {
  UniqueFd client{}, server{};
};

sockaddr_in loopback() {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

Result<sockaddr_in> name_of(int fd) {
  sockaddr_in a{};
  socklen_t size = sizeof a;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size) != 0)
    return fail_errno("getsockname");
  return a;
}

Result<Pair> connected(int kind) {
  auto at = loopback();
  Pair p;
  UniqueFd first(::socket(AF_INET, kind | SOCK_CLOEXEC, 0));
  if (::bind(first.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
    return fail_errno("bind");
  at = TRY(name_of(first.get()));
  if (kind == SOCK_STREAM && ::listen(first.get(), 1) != 0) return fail_errno("listen");
  p.client = UniqueFd(::socket(AF_INET, kind | SOCK_CLOEXEC, 0));
  if (::connect(p.client.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
    return fail_errno("connect");
  if (kind == SOCK_STREAM) {
    p.server = UniqueFd(::accept4(first.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const int on = 1;
    for (const int fd : {p.client.get(), p.server.get()})
      (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  } else {
    const auto client = TRY(name_of(p.client.get()));
    if (::connect(first.get(), reinterpret_cast<const sockaddr*>(&client),
                  sizeof client) != 0)
      return fail_errno("connect");
    p.server = std::move(first);
  }
  return p;
}

bool read_all(int fd, std::vector<char>& buffer) {
  for (size_t got = 0; got < buffer.size();) {
    const auto n = ::read(fd, buffer.data() + got, buffer.size() - got);
    if (n <= 0) return false;
    got += static_cast<size_t>(n);
  }
  return true;
}

// The server's thread runs until the client shuts the connection.
Result<Cost> both(const Pair& p, int cpu, const std::function<void(int)>& serve,
                  const std::function<bool(int)>& ask) {
  std::thread server([&] {
    pin(cpu);
    serve(p.server.get());
  });
  const double wall = now(), before = own_cpu();
  const bool done = ask(p.client.get());
  const Cost cost{now() - wall, own_cpu() - before};
  // A datagram without bytes ends UDP, the end of the stream TCP.
  (void)::send(p.client.get(), "", 0, MSG_NOSIGNAL);
  ::shutdown(p.client.get(), SHUT_WR);
  server.join();
  if (!done) return fail(EIO, "the traffic broke off");
  return cost;
}

Result<Cost> turns(int kind, size_t count, size_t bytes) {
  const auto p = TRY(connected(kind));
  const auto serve = [&](int fd) {
    std::vector<char> b(bytes);
    while (kind == SOCK_STREAM ? read_all(fd, b) : ::recv(fd, b.data(), bytes, 0) > 0)
      if (::send(fd, b.data(), bytes, MSG_NOSIGNAL) < 0) return;
  };
  const auto ask = [&](int fd) {
    std::vector<char> b(bytes, 'x');
    for (size_t i = 0; i < count; ++i)
      if (::send(fd, b.data(), bytes, MSG_NOSIGNAL) < 0 ||
          !(kind == SOCK_STREAM ? read_all(fd, b) : ::recv(fd, b.data(), bytes, 0) > 0))
        return false;
    return true;
  };
  // On one CPU: waking another one costs more than all that is measured, and no
  // two times the same.
  return both(p, 1, serve, ask);
}

}  // namespace

Result<Cost> stream(size_t writes, size_t bytes) {
  const auto p = TRY(connected(SOCK_STREAM));
  const auto serve = [](int fd) {
    std::vector<char> b(1 << 18);
    while (::read(fd, b.data(), b.size()) > 0) continue;
    (void)::send(fd, "x", 1, MSG_NOSIGNAL);  // all has arrived
  };
  const auto ask = [&](int fd) {
    const std::vector<char> b(bytes, 'x');
    for (size_t i = 0; i < writes; ++i)
      for (size_t sent = 0; sent < bytes;) {
        const auto n = ::send(fd, b.data() + sent, bytes - sent, MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += static_cast<size_t>(n);
      }
    ::shutdown(fd, SHUT_WR);
    char last = 0;
    return ::read(fd, &last, 1) == 1;
  };
  return both(p, 0, serve, ask);
}

Result<Cost> tcp_turns(size_t count, size_t bytes) {
  return turns(SOCK_STREAM, count, bytes);
}
Result<Cost> udp_turns(size_t count, size_t bytes) {
  return turns(SOCK_DGRAM, count, bytes);
}

Result<Cost> dns_queries(const Endpoint& to, const std::string& name, size_t queries) {
  std::vector<uint8_t> query = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  const auto wire = TRY(dns::Name::parse(name));
  query.insert(query.end(), wire.wire().begin(), wire.wire().end());
  query.insert(query.end(), {0, 1, 0, 1});  // A, IN
  sockaddr_storage there;
  const auto size = to_sockaddr(to, there);
  const UniqueFd fd(::socket(there.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&there), size) != 0)
    return fail_errno("connect");
  const double wall = now(), cpu = own_cpu();
  size_t sent = 0, received = 0;
  uint8_t reply[512];
  while (received < queries) {
    while (sent < queries && sent - received < kUnderWay) {
      query[0] = static_cast<uint8_t>(sent >> 8);
      query[1] = static_cast<uint8_t>(sent);
      if (::send(fd.get(), query.data(), query.size(), 0) < 0)
        return fail_errno("asking");
      ++sent;
    }
    pollfd p{fd.get(), POLLIN, 0};
    if (::poll(&p, 1, kPatienceMs) != 1) return fail(ETIMEDOUT, "a query was lost");
    while (::recv(fd.get(), reply, sizeof reply, MSG_DONTWAIT) > 12) {
      if ((reply[3] & 15) != 0 || reply[7] == 0) return fail(EPROTO, "no answer");
      ++received;
    }
  }
  return Cost{now() - wall, own_cpu() - cpu};
}

}  // namespace wigeon::bench
