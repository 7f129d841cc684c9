// SPDX-License-Identifier: GPL-2.0-or-later
// What others have of policy routing: their rules, where these lead, and what is in the
// full tunnel's table beside ours.
#pragma once

#include "agent/model/state.hh"
#include "netlink/socket.hh"

namespace wigeon {

// Fills rules, other_tunnels, table_foreign, table_foreign_more and table_held. Tables of
// any size are read, a few routes of them kept.
Result<void> view_others_routing(netlink::Socket& socket, uint32_t table, HostView& host);

}  // namespace wigeon
