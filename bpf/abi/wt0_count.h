// SPDX-License-Identifier: GPL-2.0-or-later
/* wt0_count: what arrived on the tunnel device, by reason. */
#pragma once

#include "bpf/abi/abi.h"

/* Keys of the map wt0_counts. Append only: the map outlives the program. */
enum wt0_reason {
	WT0_PASS_V4,
	WT0_PASS_V6,
	WT0_SHORT,	 /* ends inside its IP header, or before it */
	WT0_BAD_VERSION, /* the first nibble is neither 4 nor 6 */
	WT0_BAD_LENGTH,	 /* a length in the header contradicts the packet's */
	WT0_REASONS
};

struct wt0_count {
	__u64 packets;
	__u64 bytes; /* from the IP header on */
};
ABI_SIZE(wt0_count, 8 + 8);
