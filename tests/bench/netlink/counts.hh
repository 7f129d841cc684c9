// SPDX-License-Identifier: GPL-2.0-or-later
// Exact numbers of system calls and bytes on the kernel's WireGuard: "ok" and "not ok"
// lines on stdout, and the exit status.
#pragma once

namespace wigeon::bench {

int check_counts();

}  // namespace wigeon::bench
