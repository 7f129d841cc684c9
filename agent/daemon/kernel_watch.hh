// SPDX-License-Identifier: GPL-2.0-or-later
// What has to be looked at again after something was heard from the kernel. Pure.
#pragma once

#include <string>

#include "agent/model/state.hh"
#include "netlink/monitor.hh"

namespace wigeon {

struct Touched {
  Parts ours{};
  // The rest of the host: what a map is judged against, and where the uplink is.
  bool host_links = false;   // links, addresses, rules
  bool host_routes = false;  // the main table, and what others have in ours
  // The link that had our name went.
  bool name_free = false;

  [[nodiscard]] bool any() const { return !ours.empty() || host_links || host_routes; }
};

// link: what bears our name, as last observed; events that carry `port` are our own
// doing. table: that of the full tunnel.
Touched touched_by(const netlink::Heard& heard, const std::string& name,
                   const std::optional<Link>& link, uint32_t port, uint32_t table);

}  // namespace wigeon
