// SPDX-License-Identifier: GPL-2.0-or-later
/* wg_set: who configured a WireGuard device. */
#pragma once

#include "bpf/abi/abi.h"

/* Keys of the map wg_set_counts. */
enum wg_set_reason {
	WG_SET_OWN,	  /* by the process that loaded the program */
	WG_SET_ELSEWHERE, /* on a device of another network namespace */
	WG_SET_FOREIGN,	  /* by somebody else, on a device that may be ours */
	WG_SET_REASONS
};

/* A record of the ring buffer wg_set_events: one foreign change. */
struct wg_set_event {
	__u32 process; /* as the initial PID namespace numbers it */
	char command[16];
};
ABI_SIZE(wg_set_event, 4 + 16);
