// SPDX-License-Identifier: GPL-2.0-or-later
/* Answers with where the loading kernel has a field that we declare elsewhere.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* The suffix behind ___ is not part of the name that is looked for. */
struct net_device___wigeon {
	int ifindex;
} __attribute__((preserve_access_index));

struct net_device___none {
	int wigeon_has_no_such_field;
} __attribute__((preserve_access_index));

SEC("tc")
int relocation(struct __sk_buff *skb)
{
	struct net_device___wigeon *dev = 0;

	(void)skb;
	if (bpf_core_field_exists(struct net_device___none,
				  wigeon_has_no_such_field))
		return -1;
	return __builtin_preserve_field_info(dev->ifindex,
					     BPF_FIELD_BYTE_OFFSET);
}

char LICENSE[] SEC("license") = "GPL";
