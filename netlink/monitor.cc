// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/monitor.hh"

#include <linux/rtnetlink.h>
#include <sys/epoll.h>

#include "netlink/socket.hh"

namespace wigeon::netlink {
namespace {

constexpr int kGroups[] = {
    RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
    RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,   RTNLGRP_IPV4_RULE,
    RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF};

}  // namespace

struct Monitor::State {
  UniqueFd fd{};
  Changed changed{};
  std::vector<uint8_t> buffer = std::vector<uint8_t>(kReceiveBytes);

  Heard hear() {
    Heard heard;
    heard.overrun = !hear_all(fd.get(), buffer, [&](Bytes datagram) {
      return read_events(datagram, heard.events);
    });
    return heard;
  }
};

Result<Monitor> Monitor::open(Loop& loop, Changed changed, int buffer) {
  auto state = std::make_shared<State>();
  state->changed = std::move(changed);
  state->fd = TRY(join_groups(NETLINK_ROUTE, kGroups, buffer));
  auto watch = TRY(loop.watch(state->fd.get(), EPOLLIN, [state](uint32_t) {
    const Heard heard = state->hear();
    if (heard.overrun || !heard.events.empty()) state->changed(heard);
  }));
  return Monitor(std::move(state), std::move(watch));
}

}  // namespace wigeon::netlink
