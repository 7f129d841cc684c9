// SPDX-License-Identifier: GPL-2.0-or-later
/* A reader of packets that cannot step over their end. */
#pragma once

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct cursor {
	void *pos;
	void *end; /* of what can be read: tc sees the linear part only */
	__u64 len; /* of the whole packet */
};

static __always_inline void *take(struct cursor *c, __u64 len)
{
	void *at = c->pos;

	/* One pointer for the check and for what reads behind it: the verifier
	   does not see that two ways to the same place are the same. */
	barrier_var(at);
	if (at + len > c->end)
		return 0;
	c->pos = at + len;
	return at;
}
