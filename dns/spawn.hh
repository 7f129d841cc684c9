// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"

namespace wigeon::dns {

// Runs program with socket as descriptor 3, stdout and stderr inherited, stdin /dev/null,
// an empty environment and none of our privileges. When we lack the capability to change
// the uid it keeps ours, without capabilities all the same. Fails with the step that
// failed in the child, up to and including exec.
Result<pid_t> spawn_confined(const std::string& program, uid_t uid, gid_t gid,
                             UniqueFd socket);

}  // namespace wigeon::dns
