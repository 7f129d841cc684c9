// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/dns/limits.hh"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace wigeon::bench {
namespace {

constexpr size_t kBatch = 64;
constexpr size_t kRoom = 1500;
constexpr size_t kHeader = 12;
constexpr uint8_t kRecord[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1};

// The query turned into its reply, in place; room for the record is behind it. Returns
// the reply's size, 0 when there is none.
size_t turn_round(uint8_t* query, size_t size) {
  size_t at = kHeader;
  while (at < size && query[at] != 0) at += 1u + query[at];
  at += 5;
  if (at > size) return 0;
  query[2] = static_cast<uint8_t>(0x84 | (query[2] & 1));
  query[3] = 0x80;
  query[7] = 1;
  query[9] = query[11] = 0;
  std::memcpy(query + at, kRecord, sizeof kRecord);
  return at + sizeof kRecord;
}

struct Batch {
  uint8_t bytes[kBatch][kRoom];
  sockaddr_in sources[kBatch];
  iovec iov[kBatch];
  mmsghdr messages[kBatch];

  int receive(int fd, int flags) {
    for (size_t i = 0; i < kBatch; ++i) {
      iov[i] = {bytes[i], kRoom - sizeof kRecord};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &sources[i];
      messages[i].msg_hdr.msg_namelen = sizeof sources[i];
      messages[i].msg_hdr.msg_iov = &iov[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    return ::recvmmsg(fd, messages, kBatch, flags, nullptr);
  }
};

void echo_stream(int fd, std::vector<uint8_t>& in, size_t& have) {
  const ssize_t n = ::recv(fd, in.data() + have, in.size() - have, MSG_DONTWAIT);
  if (n <= 0) {
    if (n == 0) ::close(fd);
    return;
  }
  have += static_cast<size_t>(n);
  static std::vector<uint8_t> out;
  out.clear();
  size_t at = 0;
  while (have - at >= 2) {
    const auto size = static_cast<size_t>(in[at] << 8 | in[at + 1]);
    if (have - at - 2 < size || size > kRoom - sizeof kRecord) break;
    uint8_t reply[kRoom];
    std::memcpy(reply, in.data() + at + 2, size);
    const size_t made = turn_round(reply, size);
    out.push_back(static_cast<uint8_t>(made >> 8));
    out.push_back(static_cast<uint8_t>(made));
    out.insert(out.end(), reply, reply + made);
    at += 2 + size;
  }
  std::memmove(in.data(), in.data() + at, have - at);
  have -= at;
  (void)!::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
}

}  // namespace

void serve_echo(int udp) {
  static Batch b;
  for (;;) {
    // Waiting in recvmmsg would take each datagram by itself: a reply costs more then.
    pollfd w{.fd = udp, .events = POLLIN, .revents = 0};
    (void)::poll(&w, 1, -1);
    const int n = b.receive(udp, MSG_DONTWAIT);
    unsigned count = 0;
    for (int i = 0; i < n; ++i) {
      auto& m = b.messages[i];
      const size_t size = turn_round(b.bytes[i], m.msg_len);
      if (size == 0) continue;
      b.iov[i].iov_len = size;
      b.messages[count++] = m;
    }
    for (unsigned done = 0; done < count;) {
      const int sent = ::sendmmsg(udp, b.messages + done, count - done, 0);
      done += sent > 0 ? static_cast<unsigned>(sent) : 1;
    }
  }
}

void serve_tcp_echo(int listener) {
  struct Stream {
    std::vector<uint8_t> in = std::vector<uint8_t>(size_t{64} << 10);
    size_t have = 0;
  };
  std::vector<Stream> streams(1024);
  const int epoll = ::epoll_create1(0);
  const auto add = [&](int fd) {
    epoll_event e{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
  };
  add(listener);
  for (;;) {
    epoll_event events[kBatch];
    const int n = ::epoll_wait(epoll, events, kBatch, -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        const int accepted = ::accept4(listener, nullptr, nullptr, 0);
        if (accepted < 0) continue;
        streams.at(static_cast<size_t>(accepted)).have = 0;
        add(accepted);
      } else {
        auto& s = streams.at(static_cast<size_t>(fd));
        echo_stream(fd, s.in, s.have);
      }
    }
  }
}

void serve_relay(int udp, const Endpoint& upstream) {
  constexpr int kSockets = 16;
  struct Waiting {
    sockaddr_in client;
    uint16_t id;
  };
  static Batch b;
  std::vector<Waiting> waiting(65536);
  uint16_t next = 0;
  unsigned turn = 0;
  const int epoll = ::epoll_create1(0);
  const auto add = [&](int fd) {
    epoll_event e{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
  };
  add(udp);
  sockaddr_storage storage;
  const socklen_t size = to_sockaddr(upstream, storage);
  int sockets[kSockets];
  for (int& s : sockets) {
    s = ::socket(AF_INET, SOCK_DGRAM, 0);
    (void)!::connect(s, reinterpret_cast<sockaddr*>(&storage), size);
    add(s);
  }
  for (;;) {
    epoll_event events[kBatch];
    const int n = ::epoll_wait(epoll, events, kBatch, -1);
    for (int e = 0; e < n; ++e) {
      const bool from_clients = events[e].data.fd == udp;
      const int got = b.receive(events[e].data.fd, MSG_DONTWAIT);
      for (int i = 0; i < got; ++i) {
        b.iov[i].iov_len = b.messages[i].msg_len;
        uint16_t id;
        std::memcpy(&id, b.bytes[i], sizeof id);
        if (from_clients) {
          waiting[next] = {b.sources[i], id};
          id = next++;
          b.messages[i].msg_hdr.msg_name = nullptr;
          b.messages[i].msg_hdr.msg_namelen = 0;
        } else {
          b.sources[i] = waiting[id].client;
          b.messages[i].msg_hdr.msg_namelen = sizeof b.sources[i];
          id = waiting[id].id;
        }
        std::memcpy(b.bytes[i], &id, sizeof id);
      }
      const int to = from_clients ? sockets[turn++ % kSockets] : udp;
      for (int done = 0; done < got;) {
        const int sent =
            ::sendmmsg(to, b.messages + done, static_cast<unsigned>(got - done), 0);
        done += sent > 0 ? sent : 1;
      }
    }
  }
}

}  // namespace wigeon::bench
