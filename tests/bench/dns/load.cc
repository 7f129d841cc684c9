// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/dns/load.hh"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "agent/base/owned.hh"
#include "tests/bench/netlink/measure.hh"

namespace wigeon::bench {
namespace {

constexpr size_t kRoom = 1500;
constexpr size_t kBatch = 32;

Result<UniqueFd> connected(const Endpoint& to, int kind) {
  UniqueFd fd(::socket(static_cast<int>(to.address.family()), kind | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("socket");
  const int room = 4 << 20;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  sockaddr_storage storage;
  const auto size = to_sockaddr(to, storage);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0)
    return fail_errno("connect " + to.text());
  const int on = 1;
  if (kind == SOCK_STREAM)
    (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// Questions under way, by id, and what became of them.
class Book {
 public:
  Book(const Questions& questions, uint8_t rcode) : questions_(questions), rcode_(rcode) {
    times_.reserve(1u << 20);
  }
  // The next question into `out`; its size.
  size_t ask(uint8_t* out, double when) {
    const auto q = questions_[next_++ % questions_.count()];
    std::memcpy(out, q.data(), q.size());
    const uint16_t id = id_++;
    if (asked_[id] != 0) ++load.lost;
    out[0] = static_cast<uint8_t>(id >> 8);
    out[1] = static_cast<uint8_t>(id);
    if (questions_.fresh)
      for (size_t i = 0; i < 10; ++i)
        out[13 + i] = static_cast<uint8_t>("0123456789abcdef"[fresh() >> (4 * i) & 15]);
    asked_[id] = when;
    ++load.sent;
    return q.size();
  }
  // False for what answers nothing that is under way.
  bool take(const uint8_t* reply, size_t size, double when) {
    if (size < 12) return false;
    double& asked = asked_[static_cast<size_t>(reply[0] << 8 | reply[1])];
    if (asked == 0) return false;
    times_.push_back(static_cast<float>(when - asked));
    asked = 0;
    ++load.received;
    if ((reply[3] & 15) != rcode_) ++load.wrong;
    return true;
  }
  void give_up(double before) {
    for (double& asked : asked_)
      if (asked != 0 && asked < before) {
        asked = 0;
        ++load.lost;
      }
  }
  [[nodiscard]] size_t under_way() const { return load.sent - load.received - load.lost; }
  Load finish(double seconds) {
    load.seconds = seconds;
    if (times_.empty()) return load;
    const auto at = [&](double q) {
      const auto nth = times_.begin() +
                       static_cast<ptrdiff_t>(q * static_cast<double>(times_.size() - 1));
      std::ranges::nth_element(times_, nth);
      return static_cast<double>(*nth);
    };
    load.p50 = at(0.5);
    load.p99 = at(0.99);
    load.stall = at(1);
    return load;
  }
  Load load{};

 private:
  [[nodiscard]] uint64_t fresh() const { return next_ ^ salt_; }
  const Questions& questions_;
  uint8_t rcode_;
  size_t next_ = 0;
  uint64_t salt_ = static_cast<uint64_t>(now() * 1e3) << 22;
  uint16_t id_ = 0;
  std::vector<double> asked_ = std::vector<double>(65536);
  std::vector<float> times_{};
};

struct Batch {
  uint8_t bytes[kBatch][kRoom];
  iovec iov[kBatch];
  mmsghdr messages[kBatch];
  void room(size_t i, size_t size) {
    iov[i] = {bytes[i], size};
    messages[i] = {};
    messages[i].msg_hdr.msg_iov = &iov[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  void send(int fd, Book& book, size_t n) {
    const double when = now();
    for (size_t i = 0; i < n; ++i) room(i, book.ask(bytes[i], when));
    (void)::sendmmsg(fd, messages, static_cast<unsigned>(n), 0);
  }
  // How many replies came.
  size_t receive(int fd, Book& book) {
    for (size_t i = 0; i < kBatch; ++i) room(i, kRoom);
    const int n = ::recvmmsg(fd, messages, kBatch, MSG_DONTWAIT, nullptr);
    const double when = now();
    size_t good = 0;
    for (int i = 0; i < n; ++i) good += book.take(bytes[i], messages[i].msg_len, when);
    return good;
  }
};

}  // namespace

Result<Load> load_udp(const Endpoint& to, const Questions& questions, Pressure p) {
  std::vector<UniqueFd> sockets;
  std::vector<pollfd> waiting;
  for (size_t i = 0; i < p.sockets; ++i) {
    sockets.push_back(TRY(connected(to, SOCK_DGRAM)));
    waiting.push_back({.fd = sockets.back().get(), .events = POLLIN, .revents = 0});
  }
  Book book(questions, p.rcode);
  static Batch batch;
  const auto fill = [&] {
    for (auto& s : sockets) {
      size_t least = p.window / p.sockets;
      for (; least > 0; least -= std::min(least, kBatch))
        batch.send(s.get(), book, std::min(least, kBatch));
    }
  };
  const double start = now();
  fill();
  double heard = start;
  while (now() - start < p.seconds) {
    (void)::poll(waiting.data(), waiting.size(), 50);
    for (auto& w : waiting) {
      if (!(w.revents & POLLIN)) continue;
      const size_t n = batch.receive(w.fd, book);
      if (n > 0) batch.send(w.fd, book, n);
      if (n > 0) heard = now();
    }
    if (now() - heard < kPatience) continue;
    book.give_up(now());  // silence: what was under way is lost
    fill();
    heard = now();
  }
  const double end = now();
  while (book.under_way() > 0 && now() - end < kPatience) {
    (void)::poll(waiting.data(), waiting.size(), 10);
    for (auto& w : waiting) (void)batch.receive(w.fd, book);
  }
  book.give_up(now());
  return book.finish(end - start);
}

Result<Load> load_tcp(const Endpoint& to, const Questions& questions, Pressure p) {
  struct Stream {
    UniqueFd fd{};
    std::vector<uint8_t> in{};
  };
  std::vector<Stream> streams;
  std::vector<pollfd> waiting;
  Book book(questions, p.rcode);
  std::vector<uint8_t> out(kRoom);
  // One write for each question: clients that share a connection know nothing of another.
  const auto send = [&](int fd, size_t n) -> Result<void> {
    const double when = now();
    for (size_t i = 0; i < n; ++i) {
      const size_t size = book.ask(out.data() + 2, when);
      out[0] = static_cast<uint8_t>(size >> 8);
      out[1] = static_cast<uint8_t>(size);
      if (::send(fd, out.data(), 2 + size, MSG_NOSIGNAL) !=
          static_cast<ssize_t>(2 + size))
        return fail(EPIPE, "the server closed a connection");
    }
    return {};
  };
  const double start = now();
  for (size_t i = 0; i < p.sockets; ++i) {
    streams.push_back({.fd = TRY(connected(to, SOCK_STREAM))});
    waiting.push_back({.fd = streams[i].fd.get(), .events = POLLIN, .revents = 0});
    TRY(send(streams[i].fd.get(), p.window / p.sockets));
  }
  while (now() - start < p.seconds) {
    if (::poll(waiting.data(), waiting.size(), 2000) == 0)
      return fail(ETIMEDOUT, "no reply over TCP");
    for (size_t i = 0; i < streams.size(); ++i) {
      if (!(waiting[i].revents & (POLLIN | POLLHUP))) continue;
      auto& in = streams[i].in;
      const size_t had = in.size();
      in.resize(had + (size_t{64} << 10));
      const ssize_t n =
          ::recv(waiting[i].fd, in.data() + had, in.size() - had, MSG_DONTWAIT);
      if (n <= 0) return fail(EPIPE, "the server closed a connection");
      in.resize(had + static_cast<size_t>(n));
      size_t at = 0, count = 0;
      const double when = now();
      while (in.size() - at >= 2) {
        const auto size = static_cast<size_t>(in[at] << 8 | in[at + 1]);
        if (in.size() - at - 2 < size) break;
        count += book.take(in.data() + at + 2, size, when);
        at += 2 + size;
      }
      in.erase(in.begin(), in.begin() + static_cast<ptrdiff_t>(at));
      if (count > 0) TRY(send(waiting[i].fd, count));
    }
  }
  return book.finish(now() - start);
}

Result<Load> load_steadily(const Endpoint& to, const Questions& questions, double rate,
                           double seconds, double at, const std::function<void()>& then) {
  const auto fd = TRY(connected(to, SOCK_DGRAM));
  Book book(questions, 0);
  static Batch batch;
  const double start = now();
  bool done = false;
  for (double t = start; t - start < seconds; t = now()) {
    if (!done && t - start > seconds * at) {
      then();
      done = true;
    }
    const auto due = static_cast<uint64_t>((t - start) * rate);
    for (; book.load.sent < due;)
      batch.send(fd.get(), book, std::min<size_t>(due - book.load.sent, kBatch));
    // Busy on purpose: a client that sleeps would measure its own waking.
    while (batch.receive(fd.get(), book) > 0) {
    }
  }
  const double end = now();
  while (book.under_way() > 0 && now() - end < 2) (void)batch.receive(fd.get(), book);
  book.give_up(now());
  return book.finish(end - start);
}

Result<double> wait_for_answer(const Endpoint& to, const std::string& name,
                               const Address& expected, double at_most) {
  const double start = now();
  Questions q;
  q.add(name);
  const auto want = expected.bytes();
  while (now() - start < at_most) {
    auto fd = connected(to, SOCK_DGRAM);
    if (!fd) return std::unexpected(std::move(fd).error());
    (void)::send(fd->get(), q[0].data(), q[0].size(), 0);
    pollfd w{.fd = fd->get(), .events = POLLIN, .revents = 0};
    uint8_t reply[kRoom];
    ssize_t n = -1;
    for (int tries = 0; tries < 20 && n < 0; ++tries) {
      if (::poll(&w, 1, 1) <= 0) continue;
      n = ::recv(fd->get(), reply, sizeof reply, MSG_DONTWAIT);
      if (n < 0) break;  // nobody listens yet
    }
    if (n > static_cast<ssize_t>(q[0].size()) + 4)
      for (ssize_t i = static_cast<ssize_t>(q[0].size()); i + 4 <= n; ++i)
        if (std::memcmp(reply + i, want.data(), want.size()) == 0) return now() - start;
    ::usleep(200);
  }
  return fail(ETIMEDOUT, "no answer from " + to.text());
}

}  // namespace wigeon::bench
