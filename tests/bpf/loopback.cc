// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bpf/loopback.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>

#include "tests/bpf/own_namespace.hh"
#include "tests/bpf/packet.hh"

namespace wigeon::test {
namespace {

ifreq lo() {
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  return request;
}

UniqueFd any(int family) {
  return UniqueFd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void add(const Address& a) {
  const UniqueFd socket = any(a.is_v4() ? AF_INET : AF_INET6);
  if (a.is_v4()) {
    static int alias = 0;
    ifreq request{};
    std::snprintf(request.ifr_name, IFNAMSIZ, "lo:%d", ++alias);
    sockaddr_storage storage{};
    to_sockaddr({a, 0}, storage);
    std::memcpy(&request.ifr_addr, &storage, sizeof(request.ifr_addr));
    if (::ioctl(socket.get(), SIOCSIFADDR, &request) != 0) {
      REQUIRE(errno == EEXIST);
      return;
    }
    to_sockaddr({ip("255.255.255.255"), 0}, storage);
    std::memcpy(&request.ifr_netmask, &storage, sizeof(request.ifr_netmask));
    REQUIRE(::ioctl(socket.get(), SIOCSIFNETMASK, &request) == 0);
    return;
  }
  in6_ifreq request{};
  std::memcpy(&request.ifr6_addr, a.bytes().data(), 16);
  request.ifr6_prefixlen = 128;
  request.ifr6_ifindex = static_cast<int>(kLoopback);
  const int done = ::ioctl(socket.get(), SIOCSIFADDR, &request);
  REQUIRE((done == 0 || errno == EEXIST));
}

void set(int socket, int level, int option) {
  const int on = 1;
  REQUIRE(::setsockopt(socket, level, option, &on, sizeof(on)) == 0);
}

}  // namespace

void loopback_up(std::initializer_list<Address> addresses) {
  ifreq request = lo();
  request.ifr_flags = IFF_UP;
  REQUIRE(::ioctl(any(AF_INET).get(), SIOCSIFFLAGS, &request) == 0);
  for (const Address& a : addresses) add(a);
}

void loopback_accept_own() {
  constexpr const char* kSetting = "/proc/sys/net/ipv4/conf/lo/accept_local";
  const UniqueFd fd(::open(kSetting, O_WRONLY | O_CLOEXEC));
  REQUIRE(::write(fd.get(), "1", 1) == 1);
}

void loopback_mtu(int mtu) {
  ifreq request = lo();
  request.ifr_mtu = mtu;
  REQUIRE(::ioctl(any(AF_INET).get(), SIOCSIFMTU, &request) == 0);
}

bool loopback_segments(uint32_t bytes) {
  constexpr uint16_t kIPv4 = 63;  // IFLA_GSO_IPV4_MAX_SIZE, since Linux 6.3
  struct Attribute {
    rtattr header{};
    uint32_t value = 0;
  };
  struct {
    nlmsghdr header{};
    ifinfomsg link{};
    Attribute all{}, v4{};
  } request;
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_NEWLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request.link.ifi_index = static_cast<int>(kLoopback);
  request.all = {{sizeof(Attribute), IFLA_GSO_MAX_SIZE}, bytes};
  request.v4 = {{sizeof(Attribute), kIPv4}, bytes};
  const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  REQUIRE(::send(socket.get(), &request, sizeof(request), 0) == sizeof(request));
  struct {
    nlmsghdr header{};
    nlmsgerr error{};
    std::array<char, 512> more{};
  } reply;
  REQUIRE(::recv(socket.get(), &reply, sizeof(reply), 0) > 0);
  return reply.error.error == 0;
}

UniqueFd bound(int type, const Endpoint& at, Sharing sharing) {
  const bool v4 = at.address.is_v4();
  UniqueFd fd(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  REQUIRE(fd);
  set(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND);
  if (!v4) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  // A connection that was here leaves the port waiting; a listener does not share it.
  if (type == SOCK_STREAM || sharing == Sharing::address)
    set(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  sockaddr_storage storage{};
  const socklen_t length = to_sockaddr(at, storage);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0)
    return UniqueFd();
  if (type == SOCK_STREAM && ::listen(fd.get(), 16) != 0) return UniqueFd();
  return fd;
}

bool readable(int socket, int milliseconds) {
  pollfd one{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

void tell_asked_port(int socket) {
  int family = 0;
  socklen_t length = sizeof(family);
  REQUIRE(::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0);
  if (family == AF_INET)
    set(socket, IPPROTO_IP, IP_RECVORIGDSTADDR);
  else
    set(socket, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR);
}

std::optional<Datagram> receive(int socket, int milliseconds) {
  if (!readable(socket, milliseconds)) return std::nullopt;
  std::string text(65536, 0);
  sockaddr_storage from{};
  alignas(cmsghdr) std::array<char, 256> control{};
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof(from);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket, &message, 0);
  if (got < 0) return std::nullopt;
  text.resize(static_cast<size_t>(got));
  Datagram d{.text = std::move(text)};
  if (message.msg_namelen > 0)  // a stream has none
    d.from =
        from_sockaddr(reinterpret_cast<sockaddr*>(&from), message.msg_namelen).value();
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
    if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_ORIGDSTADDR) ||
        (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_ORIGDSTADDR)) {
      sockaddr_in asked{};  // the port is at the same place in both
      std::memcpy(&asked, CMSG_DATA(c), sizeof(asked));
      d.asked_port = ntohs(asked.sin_port);
    }
  return d;
}

void send_to(int socket, const Endpoint& to, std::string_view text) {
  sockaddr_storage storage{};
  const socklen_t length = to_sockaddr(to, storage);
  REQUIRE(::sendto(socket, text.data(), text.size(), 0,
                   reinterpret_cast<const sockaddr*>(&storage),
                   length) == static_cast<ssize_t>(text.size()));
}

Endpoint name_of(int socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), length).value();
}

Endpoint peer_of(int socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  REQUIRE(::getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), length).value();
}

}  // namespace wigeon::test
