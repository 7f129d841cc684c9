// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/listeners.hh"

#include <sys/socket.h>

#include <algorithm>

#include "dns/holder.hh"

namespace wigeon::dns {
namespace {

// 10,000 queries a second for as long as a large configuration takes to build.
constexpr int kUdpBuffer = 4 << 20;
constexpr int kBacklog = 128;
// Attempts to find a port that is free for every address and both protocols.
constexpr int kPortTries = 16;

std::unexpected<Error> failed(const Endpoint& e, Transport t, std::string_view doing) {
  const int code = errno;
  std::string what = std::string(doing) + " " + e.text() +
                     (t == Transport::udp ? "/udp: " : "/tcp: ") + ::strerror(code);
  if (code == EADDRINUSE) {
    const std::string holder = holder_of(e, t);
    what += holder.empty() ? ", held by a process we cannot see" : ", held by " + holder;
  }
  return fail(code, std::move(what));
}

// By which interface a query came, and for which address and port. Asked for here, since
// the kernel notes the interface of a datagram when it queues it, which is as soon as the
// socket is bound. Connections inherit it.
Result<void> ask_for_arrival(int fd, Transport t, const Endpoint& e) {
  const int on = 1;
  const bool v4 = e.address.is_v4();
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  if (::setsockopt(fd, level, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof on) != 0)
    return failed(e, t, "IP_PKTINFO for");
  if (t == Transport::udp &&
      ::setsockopt(fd, level, v4 ? IP_RECVORIGDSTADDR : IPV6_RECVORIGDSTADDR, &on,
                   sizeof on) != 0)
    return failed(e, t, "IP_RECVORIGDSTADDR for");
  return {};
}

Result<ListenerSocket> open_one(Transport t, Endpoint e) {
  const int family = static_cast<int>(e.address.family());
  const int kind = t == Transport::udp ? SOCK_DGRAM : SOCK_STREAM;
  UniqueFd fd(::socket(family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return failed(e, t, "opening a socket for");
  const int on = 1;
  if (family == AF_INET6 &&
      ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
    return failed(e, t, "IPV6_V6ONLY for");
  // TCP: connections of a predecessor in TIME_WAIT must not keep us from binding. Never
  // for UDP, where it would let two sockets share the port.
  if (t == Transport::tcp &&
      ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    return failed(e, t, "SO_REUSEADDR for");
  if (t == Transport::udp && ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE,
                                          &kUdpBuffer, sizeof kUdpBuffer) != 0)
    // Without CAP_NET_ADMIN the system's limit applies, which is smaller but works.
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kUdpBuffer, sizeof kUdpBuffer);
  TRY(ask_for_arrival(fd.get(), t, e));
  sockaddr_storage storage;
  socklen_t size = to_sockaddr(e, storage);
  auto* sa = reinterpret_cast<sockaddr*>(&storage);
  if (::bind(fd.get(), sa, size) != 0) return failed(e, t, "binding");
  if (t == Transport::tcp && ::listen(fd.get(), kBacklog) != 0)
    return failed(e, t, "listening on");
  size = sizeof storage;
  if (::getsockname(fd.get(), sa, &size) != 0) return failed(e, t, "getsockname for");
  e.port = TRY(from_sockaddr(sa, size)).port;
  return ListenerSocket{t, e, std::move(fd)};
}

}  // namespace

Result<ListenerSockets> open_listeners(std::span<const Address> addresses,
                                       uint16_t port) {
  if (addresses.empty()) return fail(EINVAL, "no address to listen on");
  if (addresses.size() * 2 > kMaxListeners)
    return fail(E2BIG, "too many listen addresses");
  for (int attempt = 1;; ++attempt) {
    ListenerSockets sockets;
    uint16_t chosen = port;
    Result<ListenerSocket> opened;
    for (const auto& address : addresses) {
      for (const Transport t : {Transport::udp, Transport::tcp}) {
        opened = open_one(t, {address, chosen});
        if (!opened) break;
        chosen = opened->endpoint.port;
        sockets.push_back(std::move(*opened));
      }
      if (!opened) break;
    }
    if (opened) return sockets;
    if (port != 0 || opened.error().code != EADDRINUSE || attempt == kPortTries)
      return std::unexpected(std::move(opened).error());
  }
}

Result<ListenerSockets> open_listeners_near(std::span<const Address> addresses,
                                            uint16_t port) {
  auto sockets = open_listeners(addresses, port);
  if (sockets || sockets.error().code != EADDRINUSE) return sockets;
  return open_listeners(addresses, 0);
}

std::vector<Address> loopback_for(std::span<const Address> addresses) {
  std::vector<Address> loopback;
  if (std::ranges::any_of(addresses, &Address::is_v4))
    loopback.push_back(Address::v4(INADDR_LOOPBACK));
  if (!std::ranges::all_of(addresses, &Address::is_v4))
    loopback.push_back(*Address::from_bytes(in6addr_loopback.s6_addr));
  return loopback;
}

}  // namespace wigeon::dns
