// SPDX-License-Identifier: GPL-2.0-or-later
// One request over WireGuard's unix socket.
#pragma once

#include <chrono>
#include <string>

#include "netlink/uapi.hh"

namespace wigeon::netlink::uapi {

inline constexpr size_t kMaxReply = 64 << 20;  // 50,000 peers and 500,000 prefixes: 32 MB

struct Patience {
  std::chrono::milliseconds silence{1000};  // between two pieces of the conversation
  std::chrono::milliseconds whole{5000};

  friend bool operator==(const Patience&, const Patience&) = default;
};

// ETIMEDOUT when patience ends, EAGAIN when too many wait to be heard already, EMSGSIZE
// when the reply is longer than max; ENOENT or ECONNREFUSED when nobody is there.
Result<SecretText> ask(const std::string& path, std::string_view request,
                       const Patience& patience = {}, size_t max = kMaxReply);

}  // namespace wigeon::netlink::uapi
