// SPDX-License-Identifier: GPL-2.0-or-later
// One request over WireGuard's unix socket.
#pragma once

#include <chrono>
#include <string>

#include "netlink/uapi.hh"

namespace wigeon::netlink::uapi {

inline constexpr size_t kMaxReply = 64 << 20;  // 50,000 peers and 500,000 prefixes: 32 MB

// The whole conversation takes at most this long. ETIMEDOUT after it, EMSGSIZE when the
// reply is longer than max; ENOENT or ECONNREFUSED when nobody is there.
Result<SecretText> ask(const std::string& path, std::string_view request,
                       std::chrono::milliseconds at_most, size_t max = kMaxReply);

}  // namespace wigeon::netlink::uapi
