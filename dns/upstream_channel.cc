// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/upstream_channel.hh"

#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "dns/big_endian.hh"
#include "dns/upstream_query.hh"

namespace wigeon::dns {
namespace {

// Stands for all UDP sockets of a channel; no descriptor has this number.
constexpr ares_socket_t kSocket = 0x7fffffff;
// Longer than anybody waits: when a query ends is decided elsewhere.
constexpr int kUdpTimeoutMs = 600'000;
constexpr int kTcpTimeoutMs = 6'000;

Error ares_error(std::string_view doing, int status) {
  return {EIO, std::string(doing) + ": " + ares_strerror(status)};
}

Result<void> init_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS)
    return std::unexpected(ares_error("ares_library_init", status));
  return {};
}

Result<AresHandle> open_channel(const Endpoint& server, ares_options o) {
  TRY(init_library());
  char lookups[] = "b";  // DNS only
  o.flags |= ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP |
             ARES_FLAG_STAYOPEN;
  o.tries = 1;
  o.ndots = 1;
  o.lookups = lookups;
  // Domains, sort list, servers and ndots are given, if only as nothing, so that c-ares
  // has no reason to read resolv.conf.
  const int set = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS |
                  ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS |
                  ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST |
                  ARES_OPT_SERVERS | ARES_OPT_NOROTATE;
  ares_channel made = nullptr;
  if (const int status = ares_init_options(&made, &o, set); status != ARES_SUCCESS)
    return std::unexpected(ares_error("ares_init_options", status));
  AresHandle channel(made);
  ares_addr_port_node node{};
  node.family = static_cast<int>(server.address.family());
  const auto bytes = server.address.bytes();
  std::memcpy(&node.addr, bytes.data(), bytes.size());
  node.udp_port = node.tcp_port = server.port;
  const int status = ares_set_servers_ports(channel.get(), &node);
  if (status != ARES_SUCCESS)
    return std::unexpected(ares_error("ares_set_servers_ports", status));
  return channel;
}

}  // namespace

struct UdpCalls {
  static ares_socket_t socket(int, int, int, void*) { return kSocket; }
  static int close(ares_socket_t, void*) { return 0; }
  static int connect(ares_socket_t, const sockaddr*, ares_socklen_t, void*) { return 0; }

  static ares_ssize_t send(ares_socket_t, const iovec* parts, int count, void* data) {
    const auto& self = *static_cast<UdpChannel*>(data);
    if (count == 1 && parts->iov_len >= kHeaderSize && self.query_) {
      self.query_->id = load16(static_cast<const uint8_t*>(parts->iov_base));
      if (self.socket_->send(self.datagram_))
        return static_cast<ares_ssize_t>(parts->iov_len);
    }
    errno = ECONNREFUSED;
    return -1;
  }

  static ares_ssize_t receive(ares_socket_t, void* out, size_t room, int, sockaddr* from,
                              ares_socklen_t* from_size, void* data) {
    auto& self = *static_cast<UdpChannel*>(data);
    const Bytes reply = std::exchange(self.reply_, {});
    if (reply.empty() || reply.size() > room) {
      errno = EAGAIN;
      return -1;
    }
    std::memcpy(out, reply.data(), reply.size());
    *from_size = std::min(*from_size, self.address_size_);
    std::memcpy(from, &self.address_, *from_size);
    return static_cast<ares_ssize_t>(reply.size());
  }

  static void ended(void* data, int status, int, unsigned char*, int) {
    auto& query = *static_cast<UdpChannel::Query*>(data);
    query.pending = false;
    query.replied = status == ARES_SUCCESS;
  }
};

Result<std::unique_ptr<UdpChannel>> UdpChannel::open(const Endpoint& server) {
  static constexpr ares_socket_functions kCalls{UdpCalls::socket, UdpCalls::close,
                                                UdpCalls::connect, UdpCalls::receive,
                                                UdpCalls::send};
  std::unique_ptr<UdpChannel> c(new UdpChannel);
  ares_options o{};
  // With this flag it takes replies of more than 512 bytes.
  o.flags = ARES_FLAG_EDNS;
  o.ednspsz = kUdpPayload;
  o.timeout = kUdpTimeoutMs;
  c->channel_ = TRY(open_channel(server, o));
  c->address_size_ = to_sockaddr(server, c->address_);
  ares_set_socket_functions(c->channel_.get(), &kCalls, c.get());
  return c;
}

void UdpChannel::start(uint16_t number, Bytes datagram, UpstreamSocket& socket,
                       Query& query) {
  std::array<uint8_t, kMaxUpstreamQuery> bytes;
  std::ranges::copy(datagram, bytes.begin());
  store16(bytes.data(), number);
  socket_ = &socket;
  datagram_ = datagram;
  query = {.pending = true};
  query_ = &query;
  ares_send(channel_.get(), bytes.data(), static_cast<int>(datagram.size()),
            UdpCalls::ended, &query);
  query_ = nullptr;
}

void UdpChannel::finish(Query& query, std::span<uint8_t> datagram) {
  if (!query.pending) return;
  // A refused query, one with SERVFAIL too, c-ares would send again without its last
  // eleven bytes.
  const uint8_t flags = datagram[3];
  datagram[3] &= static_cast<uint8_t>(~flag::kRcode);
  store16(datagram.data(), query.id);
  reply_ = datagram;
  ares_process_fd(channel_.get(), kSocket, ARES_SOCKET_BAD);
  datagram[3] = flags;
  assert(!query.pending);
}

void UdpChannel::give_up(Query& query, Bytes sent) {
  if (!query.pending) return;
  std::array<uint8_t, kMaxUpstreamQuery> reply;
  std::ranges::copy(sent, reply.begin());
  reply[2] |= flag::kQr >> 8;
  finish(query, std::span(reply).first(sent.size()));
}

// c-ares does not know the interface of a link-local address, so its connections to one
// are made here.
struct ScopedCalls {
  static ares_socket_t socket(int family, int type, int protocol, void*) {
    const int fd = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    const int on = 1;
    if (fd >= 0) (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }
  static int close(ares_socket_t fd, void*) { return ::close(fd); }
  static int connect(ares_socket_t fd, const sockaddr*, ares_socklen_t, void* data) {
    const auto& self = *static_cast<TcpChannel*>(data);
    sockaddr_storage to;
    const auto size = to_sockaddr(self.server_, to);
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&to), size);
  }
  static ares_ssize_t receive(ares_socket_t fd, void* out, size_t room, int flags,
                              sockaddr* from, ares_socklen_t* from_size, void*) {
    return ::recvfrom(fd, out, room, flags, from, from_size);
  }
  static ares_ssize_t send(ares_socket_t fd, const iovec* parts, int count, void*) {
    return ::writev(fd, parts, count);
  }
};

struct TcpCalls {
  static void on_socket(void* data, ares_socket_t fd, int readable, int writable) {
    auto& self = *static_cast<TcpChannel*>(data);
    const uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    const auto known = self.sockets_.find(fd);
    if (events == 0) {
      if (known != self.sockets_.end()) self.sockets_.erase(known);
      return;
    }
    if (known != self.sockets_.end()) {
      (void)known->second.change(events);  // fails only without memory; the limit remains
      return;
    }
    auto watch = self.loop_.watch(fd, events, [&self, fd](uint32_t ready) {
      // An error is found by reading.
      const bool in = ready & (EPOLLIN | EPOLLERR | EPOLLHUP);
      const bool out = ready & EPOLLOUT;
      self.process(in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
    });
    if (watch) self.sockets_.emplace(fd, std::move(*watch));
  }

  static void ended(void* data, int status, int, unsigned char* bytes, int size) {
    const std::unique_ptr<TcpChannel::Query> query(static_cast<TcpChannel::Query*>(data));
    auto& self = *query->owner;
    --self.pending_;
    if (status == ARES_EDESTRUCTION) return;
    const bool good = status == ARES_SUCCESS && bytes && size > 0;
    self.ends_.push_back({query->ticket, {bytes, bytes + (good ? size : 0)}});
  }
};

Result<std::unique_ptr<TcpChannel>> TcpChannel::open(Loop& loop, const Endpoint& server,
                                                     Ended ended) {
  static constexpr ares_socket_functions kScoped{ScopedCalls::socket, ScopedCalls::close,
                                                 ScopedCalls::connect,
                                                 ScopedCalls::receive, ScopedCalls::send};
  std::unique_ptr<TcpChannel> c(new TcpChannel(loop, server, std::move(ended)));
  ares_options o{};
  o.flags = ARES_FLAG_USEVC;
  o.timeout = kTcpTimeoutMs;
  o.sock_state_cb = TcpCalls::on_socket;
  o.sock_state_cb_data = c.get();
  c->channel_ = TRY(open_channel(server, o));
  if (server.scope != 0) ares_set_socket_functions(c->channel_.get(), &kScoped, c.get());
  return c;
}

void TcpChannel::send(Bytes query, uint64_t ticket) {
  ++pending_;
  ares_send(channel_.get(), query.data(), static_cast<int>(query.size()), TcpCalls::ended,
            std::make_unique<Query>(this, ticket).release());
  deliver();
}

void TcpChannel::check_timeouts() {
  if (pending_ > 0) process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void TcpChannel::process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(channel_.get(), readable, writable);
  deliver();
}

void TcpChannel::deliver() {
  for (const auto& end : std::exchange(ends_, {})) ended_(end.ticket, end.reply);
}

}  // namespace wigeon::dns
