// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/caller.hh"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace wigeon {
namespace {

constexpr size_t kMaxGroups = 65536;  // NGROUPS_MAX of Linux

Result<std::vector<gid_t>> supplementary_groups(int fd) {
  std::vector<gid_t> groups(32);
  for (;;) {
    auto bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const int r = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
    const size_t count = bytes / sizeof(gid_t);
    if (r != 0 && (errno != ERANGE || count > kMaxGroups))
      return fail_errno("SO_PEERGROUPS");
    groups.resize(count);
    if (r == 0) return groups;
  }
}

}  // namespace

bool Caller::may(Permission p) const {
  switch (p) {
    case Permission::read:
    case Permission::change:
      return root || member;
    case Permission::root_read:
    case Permission::root_change:
      return root;
  }
  return false;
}

Result<Caller> identify(int fd, std::optional<gid_t> group) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
    return fail_errno("SO_PEERCRED");
  Caller caller{.uid = peer.uid, .pid = peer.pid};
  caller.root = peer.uid == 0 || peer.uid == ::geteuid();
  if (group) {
    const auto groups = TRY(supplementary_groups(fd));
    caller.member =
        peer.gid == *group || std::ranges::find(groups, *group) != groups.end();
  }
  return caller;
}

}  // namespace wigeon
