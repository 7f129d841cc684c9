// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/monitor.hh"

#include <linux/rtnetlink.h>

namespace wigeon::netlink {
namespace {

constexpr int kGroups[] = {
    RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
    RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,   RTNLGRP_IPV4_RULE,
    RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF};

}  // namespace

Result<Monitor> Monitor::open(Loop& loop, Changed changed, int buffer) {
  return Monitor(TRY(Multicast::open(
      loop, NETLINK_ROUTE, kGroups, buffer,
      [changed = std::move(changed)](const Multicast::Hear& hear) mutable {
        Heard heard;
        heard.overrun =
            !hear([&](Bytes datagram) { return read_events(datagram, heard.events); });
        if (heard.overrun || !heard.events.empty()) changed(heard);
      })));
}

}  // namespace wigeon::netlink
