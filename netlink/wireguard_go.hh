// SPDX-License-Identifier: GPL-2.0-or-later
// wireguard-go, for kernels without WireGuard: a process for each link, found again by
// its socket after we died.
//
// It makes the link itself (kind "tun"), puts itself into the background and lives until
// its link is deleted or its socket file is removed; either ends it and removes the
// other. It outlives us, so a service manager must not end it with us (KillMode=process
// or mixed).
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon::netlink::wireguard_go {

// Where Debian's and a self-built one are: ENOENT when neither is there.
Result<std::string> find_program();

// "/var/run/wireguard/wt0.sock", as the program has it built in.
std::string socket_path(std::string_view link);

// A process answers for this link. ENOENT or ECONNREFUSED: none does; a process that is
// there and does not answer is ETIMEDOUT.
Result<void> check_running(std::string_view link);

// Starts one and waits, at most kDeadline, until it answers. It gets no environment and
// no file of ours; a failure tells in its own words why. Success at once when one is
// running.
Result<void> start(std::string_view link);

// Ends the one for this link and waits until the link is gone. None running is success.
Result<void> stop(std::string_view link);

}  // namespace wigeon::netlink::wireguard_go
