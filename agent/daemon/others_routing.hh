// SPDX-License-Identifier: GPL-2.0-or-later
// What others have of policy routing: their rules, where these lead, and what is in the
// full tunnel's table beside ours.
#pragma once

#include "agent/base/result.hh"
#include "agent/model/state.hh"

namespace wigeon {

// Fills rules, other_tunnels, table_foreign and table_held. host is partly filled on
// failure.
Result<void> look_at_others_routing(uint32_t table, HostView& host);

}  // namespace wigeon
