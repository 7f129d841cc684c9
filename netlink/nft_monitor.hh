// SPDX-License-Identifier: GPL-2.0-or-later
// Hears which tables of nftables changed in this network namespace, by whomever.
#pragma once

#include <set>
#include <string>

#include "netlink/multicast.hh"

namespace wigeon::netlink {

inline constexpr size_t kMaxTouched = 256;

struct TouchedTable {
  std::string family{};  // "inet", "ip", …; a number when it has no name
  std::string name{};
  auto operator<=>(const TouchedTable&) const = default;
};

// The whole of what there was to hear in one turn of the loop.
struct NftHeard {
  std::set<TouchedTable> tables{};
  // Something was lost (ENOBUFS), made no sense, or there were more than kMaxTouched: any
  // table may have changed.
  bool overrun = false;
};

// Adds what a datagram of NETLINK_NETFILTER says; false when it is malformed. What is not
// about a table is skipped.
bool read_touched(Bytes datagram, NftHeard& heard);

class NftMonitor {
 public:
  using Changed = std::move_only_function<void(const NftHeard&)>;
  // Changes before this returns are not heard: open it first, then list. The callback may
  // destroy the monitor.
  static Result<NftMonitor> open(Loop& loop, Changed changed, int buffer = kMonitorBytes);

 private:
  explicit NftMonitor(Multicast socket) : socket_(std::move(socket)) {}

  Multicast socket_;
};

}  // namespace wigeon::netlink
