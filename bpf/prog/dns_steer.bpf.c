// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gives what is sent to port 53 of our addresses to our listeners, wherever
 * they are bound. The kernel asks after connected sockets and before listening
 * ones, so others may hold the port. Everything here fails open: SK_PASS
 * without a socket is the lookup as it would be without us.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/dns_steer.h"

#define V4 2 /* AF_INET; sys/socket.h is not for the kernel side */

/* 16 entries x 24 bytes */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DNS_ADDRESSES_ROOM);
	__type(key, struct dns_address);
	__type(value, __u32);
} dns_addresses SEC(".maps");

/* 4 entries x 8 bytes */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, DNS_LISTENERS);
	__type(key, __u32);
	__type(value, __u64);
} dns_listeners SEC(".maps");

/* 7 entries x 8 bytes on each possible CPU */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DNS_STEER_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} dns_steer_counts SEC(".maps");

static __always_inline enum dns_steer_reason judge(struct bpf_sk_lookup *ctx)
{
	const int v4 = ctx->family == V4, tcp = ctx->protocol == IPPROTO_TCP;
	__u32 slot =
		tcp ? (v4 ? DNS_TCP4 : DNS_TCP6) : (v4 ? DNS_UDP4 : DNS_UDP6);
	struct dns_address to = {.version = v4 ? 4 : 6};
	struct bpf_sock *listener;
	long refused;

	if (v4) {
		to.words[0] = ctx->local_ip4;
	} else {
		to.words[0] = ctx->local_ip6[0];
		to.words[1] = ctx->local_ip6[1];
		to.words[2] = ctx->local_ip6[2];
		to.words[3] = ctx->local_ip6[3];
	}
	if (!bpf_map_lookup_elem(&dns_addresses, &to))
		return DNS_STEER_NOT_OURS;
	listener = bpf_map_lookup_elem(&dns_listeners, &slot);
	if (!listener)
		return DNS_STEER_NO_LISTENER;
	/* Another program's choice for our address is not for it to make. */
	refused = bpf_sk_assign(ctx, listener, BPF_SK_LOOKUP_F_REPLACE);
	bpf_sk_release(listener);
	if (refused)
		return DNS_STEER_REFUSED;
	switch (slot) {
	case DNS_UDP4:
		return DNS_STEERED_UDP4;
	case DNS_UDP6:
		return DNS_STEERED_UDP6;
	case DNS_TCP4:
		return DNS_STEERED_TCP4;
	}
	return DNS_STEERED_TCP6;
}

SEC("sk_lookup")
int dns_steer(struct bpf_sk_lookup *ctx)
{
	__u32 reason;
	__u64 *n;

	if (ctx->local_port != DNS_PORT) /* in host order */
		return SK_PASS;
	reason = judge(ctx);
	n = bpf_map_lookup_elem(&dns_steer_counts, &reason);
	/* Misses only in a map that is too short: uncounted. */
	if (n)
		++*n;
	return SK_PASS;
}

char LICENSE[] SEC("license") = "GPL";
