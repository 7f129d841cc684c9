// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/upstream_socket.hh"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace wigeon::dns {
namespace {

// Reading more than this out of a queue costs more than a new socket.
constexpr int kMaxStale = 32;

}  // namespace

Result<UpstreamSocket> UpstreamSocket::open(Family family, int epoll, uint32_t number) {
  UniqueFd fd(
      ::socket(static_cast<int>(family), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("socket");
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u32 = number;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd.get(), &event) != 0)
    return fail_errno("epoll_ctl");
  return UpstreamSocket(std::move(fd));
}

Result<void> UpstreamSocket::connect(const sockaddr_storage& server, socklen_t size) {
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&server), size) != 0)
    return fail_errno("connect");
  connected_ = true;
  return {};
}

bool UpstreamSocket::send(Bytes datagram) {
  if (::send(fd_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return true;
  return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
}

Result<size_t> UpstreamSocket::receive(std::span<uint8_t> out) {
  const ssize_t n = ::recv(fd_.get(), out.data(), out.size(), MSG_TRUNC);
  if (n < 0) return fail(errno, "recv");
  return static_cast<size_t>(n);
}

bool UpstreamSocket::disconnect() {
  if (!connected_) return true;
  connected_ = false;
  const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
  if (::connect(fd_.get(), &none, sizeof none) != 0) return false;
  for (int i = 0; i < kMaxStale; ++i) {
    char byte;
    if (::recv(fd_.get(), &byte, 1, 0) < 0 && errno == EAGAIN) return true;
  }
  return false;
}

}  // namespace wigeon::dns
