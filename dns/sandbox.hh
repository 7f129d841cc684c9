// SPDX-License-Identifier: GPL-2.0-or-later
// What the resolver gives up before it reads the first byte from anybody: everything but
// talking on sockets it has or opens towards upstream servers.
#pragma once

#include <string>

#include "agent/base/result.hh"

namespace wigeon::dns {

// Fails when the process still has a capability or could gain one; the launcher was to
// see to that. Then makes it undumpable and locks it into a list of system calls; any
// other ends the process (SIGSYS), except opening files, other socket families and socket
// options, which fail with EACCES as libraries try that. Returns what was done, in one
// line. In sanitizer builds there is no list, as their run time needs more.
Result<std::string> enter_sandbox();

}  // namespace wigeon::dns
