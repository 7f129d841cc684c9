// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's Unix socket: nobody but root can connect before its group is set.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"
#include "agent/control/lock.hh"

namespace wigeon {

// The gid of this group; nothing when there is no such group.
std::optional<gid_t> find_group(const std::string& name);

class Listener {
 public:
  // A stale socket under this name is replaced, which only the holder of the lock may do;
  // anything else there is EEXIST. With a group the socket is root:group 0660, else 0600.
  static Result<Listener> open(const std::string& path, std::optional<gid_t> group,
                               const Lock& lock);
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();  // removes the name, if it is still this socket's

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Listener() = default;
  UniqueFd fd_{};
  std::string path_{};
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace wigeon
