// SPDX-License-Identifier: GPL-2.0-or-later
// One daemon for each runtime directory. Only who holds the lock may make or remove the
// socket there. The file stays behind: removing it would let two daemons hold two files.
#pragma once

#include <string>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"

namespace wigeon {

class Lock {
 public:
  // Makes the directory (0755) when it is missing and takes directory/lock for life.
  // EALREADY when another process has it, whose pid the message names. EPERM when others
  // than root and us could put files in the directory.
  static Result<Lock> take(const std::string& directory);

 private:
  explicit Lock(UniqueFd fd) : fd_(std::move(fd)) {}
  // Close-on-exec: children that only fork would keep the lock.
  UniqueFd fd_;
};

}  // namespace wigeon
