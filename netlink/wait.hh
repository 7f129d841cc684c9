// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>

#include "agent/base/result.hh"

namespace wigeon::netlink {

// poll(2) of one descriptor, through signals. ETIMEDOUT at the deadline.
Result<void> wait_ready(int fd, short events,
                        std::chrono::steady_clock::time_point deadline);

}  // namespace wigeon::netlink
