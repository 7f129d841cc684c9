// SPDX-License-Identifier: GPL-2.0-or-later
// Kernel settings by their path below /proc/sys: "net/ipv4/conf/eth0.100/forwarding".
// Those below net/ are of the network namespace of whoever opens them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hh"

namespace wigeon {

inline constexpr size_t kMaxSysctlBytes = 4096;
inline constexpr std::string_view kSysctlRoot = "/proc/sys";

// Without the newline. ENOENT when there is none, which for an interface's own means that
// the interface is gone; EINVAL for a key that is no such path. root: for tests.
Result<std::string> read_sysctl(const std::string& key,
                                std::string_view root = kSysctlRoot);

// Errors as before; EROFS and EACCES where /proc/sys is not ours to write, EINVAL also
// when the kernel refuses the value.
Result<void> write_sysctl(const std::string& key, std::string_view value,
                          std::string_view root = kSysctlRoot);

// The other settings that the kernel sets to the same value when this one is written, in
// order: a change of net/ipv6/conf/all/forwarding is one of every interface's. Whoever
// has to undo a write, undoes these as well.
Result<std::vector<std::string>> written_along(const std::string& key,
                                               std::string_view root = kSysctlRoot);

// Whether a must be written before b; undoing is the other way round. What keeps an
// interface listening to routers (accept_ra) goes before what would make it stop and drop
// the routes it has from them (forwarding), an interface's setting before that of all.
bool written_before(std::string_view a, std::string_view b);

}  // namespace wigeon
