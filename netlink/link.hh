// SPDX-License-Identifier: GPL-2.0-or-later
// Network interfaces.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agent/base/network.hh"
#include "netlink/socket.hh"

namespace wigeon::netlink {

inline constexpr size_t kMaxLinkName = 15;  // IFNAMSIZ without the NUL
inline constexpr size_t kMaxAlias = 255;    // IFALIASZ without the NUL

// 1-15 bytes, printable, no '/' or blank, not "." or "..": fit for the kernel and for a
// path.
Result<void> check_link_name(std::string_view name);

Result<std::vector<Link>> list_links(Socket& s);
// Empty when there is none.
Result<std::optional<Link>> find_link(Socket& s, std::string_view name);
Result<std::optional<Link>> find_link(Socket& s, IfIndex index);

// Made down. EEXIST when the name is taken; EOPNOTSUPP when the kernel knows no such kind
// (a module that can be loaded is loaded first).
Result<Link> create_link(Socket& s, std::string_view name, std::string_view kind);

Result<void> set_alias(Socket& s, IfIndex index, std::string_view alias);
Result<void> set_mtu(Socket& s, IfIndex index, uint32_t mtu);
enum class LinkState { down, up };
Result<void> set_state(Socket& s, IfIndex index, LinkState state);

// A WireGuard link with many peers must lose them first (DeviceChange::replace_peers):
// its destructor waits about 20 ms for each one left, on SMP kernels. Gone already is
// success.
Result<void> delete_link(Socket& s, IfIndex index);

// From RTM_NEWLINK and RTM_DELLINK. Left empty when it is about a bridge's port, which
// uses the same types; false when malformed.
bool read_link(const Message& m, std::optional<Link>& to);

}  // namespace wigeon::netlink
