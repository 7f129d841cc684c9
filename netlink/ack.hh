// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel thought of a request.
#pragma once

#include <string_view>

#include "agent/base/result.hh"
#include "netlink/attr.hh"

namespace wigeon::netlink {

// Of an NLMSG_ERROR (an ACK is one with code 0) or NLMSG_DONE message:
// "EINVAL: Invalid prefix for given prefix length", with the kernel's own sentence
// (ext-ack) where it gave one and strerror's otherwise. EBADMSG when the message is
// malformed.
Result<void> outcome(const Message& m);

// "RTM_NEWROUTE"; empty for types we never send.
std::string_view request_name(uint16_t rtnetlink_type);

}  // namespace wigeon::netlink
