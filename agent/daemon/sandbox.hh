// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon gives up before it reads the first foreign byte.
#pragma once

#include "agent/base/result.hh"

namespace wigeon {

// EPERM, naming it, when CAP_NET_ADMIN is missing.
Result<void> require_net_admin();

// No core dumps, not readable by ptrace of the same uid, and a bounding set of just
// these: NET_ADMIN, NET_RAW, NET_BIND_SERVICE, BPF, PERFMON, SETUID, SETGID, CHOWN,
// DAC_OVERRIDE. What we do not have is not missed.
Result<void> shed_privileges();

}  // namespace wigeon
