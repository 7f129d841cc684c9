// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/monitor.hh"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlink/socket.hh"

namespace wigeon::netlink {

struct Monitor::State {
  UniqueFd fd{};
  Changed changed{};
  std::vector<uint8_t> buffer = std::vector<uint8_t>(kReceiveBytes);

  Heard hear();
};

Heard Monitor::State::hear() {
  Heard heard;
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const ssize_t n =
        ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOBUFS) {  // what is still queued came before the loss
      heard.overrun = true;
      continue;
    }
    if (n <= 0) break;
    const auto size = static_cast<size_t>(n);
    if (size > buffer.size() || !read_events(Bytes(buffer).first(size), heard.events))
      heard.overrun = true;
  }
  return heard;
}

Result<Monitor> Monitor::open(Loop& loop, Changed changed, int buffer) {
  auto state = std::make_shared<State>();
  state->changed = std::move(changed);
  state->fd = UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!state->fd) return fail_errno("netlink socket");
  const int fd = state->fd.get();
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer,
                       sizeof buffer);  // overruns sooner
  const sockaddr_nl kernel{
      .nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) != 0)
    return fail_errno("netlink connect");
  for (const int group :
       {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
        RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE})
    if (::setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
      return fail_errno("joining netlink group " + std::to_string(group));
  auto watch = TRY(loop.watch(fd, EPOLLIN, [state](uint32_t) {
    const Heard heard = state->hear();
    if (heard.overrun || !heard.events.empty()) state->changed(heard);
  }));
  return Monitor(std::move(state), std::move(watch));
}

}  // namespace wigeon::netlink
