// SPDX-License-Identifier: GPL-2.0-or-later
// Policy routing rules, both families. Ours carry kRouteProtocol (kernel 4.17 and later).
#pragma once

#include <vector>

#include "agent/base/network.hh"
#include "netlink/socket.hh"

namespace wigeon::netlink {

// As the kernel reports them, with one change: a mark mask of all ones is none, as in a
// rule that never gave one. add_rule() takes both. A kernel without IPv6 has none for it.
Result<std::vector<Rule>> list_rules(Socket& s);

// EEXIST when an equal rule is there, whoever made it: the kernel leaves the protocol out
// of that comparison.
Result<void> add_rule(Socket& s, const Rule& r);
// Names priority, table and protocol, so that a foreign rule is never taken. Not there is
// success.
Result<void> remove_rule(Socket& s, const Rule& r);

// From RTM_NEWRULE and RTM_DELRULE. Left empty when it is of another family (multicast
// routing has rules too); false when malformed.
bool read_rule(const Message& m, std::optional<Rule>& to);

}  // namespace wigeon::netlink
