// SPDX-License-Identifier: GPL-2.0-or-later
// Somebody else's full tunnel, as its policy rules show it. Pure.
//
//   wg-quick    not fwmark 0xca6c lookup 51820
//   Tailscale   fwmark 0x80000/0xff0000 lookup main, and later lookup 52
//
// Both mark the packets that carry the tunnel, and lead everything else into a table.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/base/network.hh"

namespace wigeon {

inline constexpr size_t kMaxOtherTunnels = 16;

struct OtherTunnel {
  Family family = Family::v4;
  uint32_t priority = 0;  // of the rule that leads into the table
  uint32_t table = 0;
  // Of the packets that carry it; without a mask all bits count.
  uint32_t mark = 0;
  std::optional<uint32_t> mark_mask{};
  // All but the marked ones are led into the table. Otherwise the marked ones are sent to
  // the main table by a rule of their own, which comes first.
  bool inverted = false;

  friend bool operator==(const OtherTunnel&, const OtherTunnel&) = default;
};

// rules: of others, in the order of their priorities. The first kMaxOtherTunnels.
std::vector<OtherTunnel> other_tunnels(const std::vector<Rule>& rules);

}  // namespace wigeon
