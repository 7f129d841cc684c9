// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/multicast.hh"

#include <linux/netlink.h>
#include <sys/socket.h>

namespace wigeon::netlink {

Result<UniqueFd> join_groups(int protocol, std::span<const int> groups, int buffer) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return fail_errno("netlink socket");
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &buffer,
                       sizeof buffer);  // overruns sooner
  const sockaddr_nl kernel{
      .nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) != 0)
    return fail_errno("netlink connect");
  for (const int group : groups)
    if (::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
                     sizeof group) != 0)
      return fail_errno("joining netlink group " + std::to_string(group));
  return fd;
}

bool hear_all(int fd, std::vector<uint8_t>& buffer,
              const std::function<bool(Bytes)>& take) {
  bool whole = true;
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOBUFS) {  // what is still queued came before the loss
      whole = false;
      continue;
    }
    if (n <= 0) break;
    const auto size = static_cast<size_t>(n);
    whole = size <= buffer.size() && take(Bytes(buffer).first(size)) && whole;
  }
  return whole;
}

}  // namespace wigeon::netlink
