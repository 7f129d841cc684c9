// SPDX-License-Identifier: GPL-2.0-or-later
// A netlink socket that hears multicast groups (netlink(7)): what all of our monitors are
// made of.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"
#include "netlink/attr.hh"

namespace wigeon::netlink {

// A burst of some 2,000 events is kept; a longer one is an overrun.
inline constexpr int kMonitorBytes = 1 << 20;
inline constexpr int kDatagramsAtOnce = 64;  // in one turn of the loop

// protocol: NETLINK_ROUTE, …; buffer: SO_RCVBUF in bytes. Only the kernel is heard.
Result<UniqueFd> join_groups(int protocol, std::span<const int> groups, int buffer);

// Takes what there is, at most kDatagramsAtOnce, through a buffer of kReceiveBytes. False
// when something was lost: the kernel dropped events (ENOBUFS), one was longer than the
// buffer, or take() called one malformed by returning false.
bool hear_all(int fd, std::vector<uint8_t>& buffer,
              const std::function<bool(Bytes)>& take);

}  // namespace wigeon::netlink
