// SPDX-License-Identifier: GPL-2.0-or-later
// Who is at the other end of a Unix socket, as the kernel says, and what they may ask
// for.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "agent/base/result.hh"

namespace wigeon {

// Who may call a method, and whether calls of it wait for each other.
enum class Permission {
  read,         // root and members of the group; at any time
  change,       // root and members of the group; one change at a time
  root_read,    // root; at any time
  root_change,  // root; one change at a time
};

struct Caller {
  uid_t uid = static_cast<uid_t>(-1);
  pid_t pid = 0;
  bool root = false;    // uid 0, or the daemon's own uid
  bool member = false;  // of the socket's group, by its first or a supplementary group

  [[nodiscard]] bool may(Permission p) const;
};

constexpr bool is_change(Permission p) {
  return p == Permission::change || p == Permission::root_change;
}

// As they were at connect(2): SO_PEERCRED, SO_PEERGROUPS.
Result<Caller> identify(int fd, std::optional<gid_t> group);

}  // namespace wigeon
