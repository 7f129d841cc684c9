// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses of interfaces.
#pragma once

#include <vector>

#include "agent/base/network.hh"
#include "netlink/socket.hh"

namespace wigeon::netlink {

// Of one link, or of all when it is none. Both families, link-local ones too.
Result<std::vector<LinkAddress>> list_addresses(Socket& s, IfIndex link = IfIndex::none);

// The kernel makes the route to its network. There already is success. IPv6 addresses
// skip duplicate detection: there is nobody on a tunnel to ask, and the resolver wants to
// bind.
Result<void> add_address(Socket& s, const LinkAddress& a);
// Not there is success.
Result<void> remove_address(Socket& s, const LinkAddress& a);

}  // namespace wigeon::netlink
