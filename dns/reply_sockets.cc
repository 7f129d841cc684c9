// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/reply_sockets.hh"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>

namespace wigeon::dns {
namespace {

// A raw socket gets a copy of every datagram that comes to the host, and may lose them
// only one by one. So nothing passes its filter, for good; and dissolving its association
// takes it out of the table that incoming packets are looked up in, so that not even the
// filter runs. It sends all the same.
Result<void> deafen(int fd) {
  sock_filter nothing{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{1, &nothing};
  const int on = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
    return fail_errno("SO_ATTACH_FILTER");
  if (::setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) != 0)
    return fail_errno("SO_LOCK_FILTER");
  const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
  if (::connect(fd, &none, sizeof none) != 0) return fail_errno("leaving the raw table");
  // What came before the filter did.
  char byte;
  while (::recv(fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0) continue;
  return {};
}

Result<UniqueFd> open_one(Family family) {
  UniqueFd fd(::socket(static_cast<int>(family), SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                       IPPROTO_UDP));
  if (!fd) return fail_errno("opening a raw UDP socket");
  TRY(deafen(fd.get()));
  const bool v4 = family == Family::v4;
  constexpr int never_fragment = IP_PMTUDISC_DO;
  static_assert(never_fragment == IPV6_PMTUDISC_DO);
  if (::setsockopt(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6,
                   v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &never_fragment,
                   sizeof never_fragment) != 0)
    return fail_errno("IP_MTU_DISCOVER");
  return fd;
}

}  // namespace

Result<ReplySockets> open_reply_sockets(std::span<const Address> addresses) {
  ReplySockets sockets;
  for (const auto& a : addresses) {
    UniqueFd& fd = a.is_v4() ? sockets.v4 : sockets.v6;
    if (!fd) fd = TRY(open_one(a.family()));
  }
  return sockets;
}

}  // namespace wigeon::dns
