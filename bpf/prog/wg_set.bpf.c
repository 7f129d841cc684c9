// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hears of every WG_CMD_SET_DEVICE: WireGuard has no multicast for it. Sits at
 * the exit of the function that carries out any generic netlink message, so
 * that what it tells of is there when user space looks; and that function is
 * not in the module, which may come and go.
 *
 * It runs in the sender's own context, inside send(2). The message can fail
 * half way with peers changed, so the result does not matter.
 */
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/wg_set.h"

struct net {
	struct {
		unsigned int inum;
	} ns;
} __attribute__((preserve_access_index));

struct sock {
	struct {
		struct {
			struct net *net;
		} skc_net;
	} __sk_common;
} __attribute__((preserve_access_index));

struct sk_buff {
	struct sock *sk;
} __attribute__((preserve_access_index));

/* Who loads this; set before. */
const volatile __u32 own_process; /* in the PID namespace below */
const volatile __u64 own_pids_device, own_pids_inode;
const volatile __u32 own_network;

/* WireGuard's number in generic netlink, another one each time it is loaded. */
volatile __u16 family;

/* 3 entries x 8 bytes */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WG_SET_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} wg_set_counts SEC(".maps");

/* One page; a record takes 32 bytes of it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} wg_set_events SEC(".maps");

static __always_inline int is_own(void)
{
	struct bpf_pidns_info id = {};

	/* Fails for a process of another PID namespace: that is not us. */
	return bpf_get_ns_current_pid_tgid(own_pids_device, own_pids_inode, &id,
					   sizeof(id)) == 0 &&
	       id.tgid == own_process;
}

static __always_inline enum wg_set_reason judge(const struct sk_buff *skb)
{
	if (is_own())
		return WG_SET_OWN;
	/* The socket's namespace is where the device is looked for, not the
	   process's. 0, unreadable: taken for ours, which costs a look. */
	const __u32 network = skb->sk->__sk_common.skc_net.net->ns.inum;

	return network && network != own_network ? WG_SET_ELSEWHERE
						 : WG_SET_FOREIGN;
}

static __always_inline void tell(void)
{
	struct wg_set_event *e =
		bpf_ringbuf_reserve(&wg_set_events, sizeof(*e), 0);

	/* Full: the records in it wake the reader, who believes the count. */
	if (!e)
		return;
	e->process = bpf_get_current_pid_tgid() >> 32;
	if (bpf_get_current_comm(e->command, sizeof(e->command)) != 0)
		e->command[0] = 0;
	bpf_ringbuf_submit(e, 0);
}

SEC("fexit/genl_rcv_msg")
int wg_set(__u64 *arguments)
{
	const struct sk_buff *skb = (const void *)arguments[0];
	const struct nlmsghdr *message = (const void *)arguments[1];
	__u32 reason;
	__u64 *n;

	/* The family has two commands; the other one is a dump and only that.
	 */
	if (message->nlmsg_type != family ||
	    (message->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP)
		return 0;
	reason = judge(skb);
	n = bpf_map_lookup_elem(&wg_set_counts, &reason);
	/* Counted before it is told. The array has every reason: no miss. */
	if (n)
		__sync_fetch_and_add(n, 1);
	if (reason == WG_SET_FOREIGN)
		tell();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
