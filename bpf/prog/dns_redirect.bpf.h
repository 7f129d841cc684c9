// SPDX-License-Identifier: GPL-2.0-or-later
/* The judgement that both hooks share; the rules are in the contract. */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/dns_redirect.h"
#include "bpf/prog/dns_packet.bpf.h"

/* 16 entries x 24 bytes */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DNS_ADDRESSES_ROOM);
	__type(key, struct dns_address);
	__type(value, __u32);
} dns_addresses SEC(".maps");

/* 1 entry x 4 bytes */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dns_settings);
} dns_settings SEC(".maps");

/*
 * 32768 entries x 40 bytes (112 in the kernel, 3.7 MB), allocated at once. More
 * than the ports of a client that has one address, so that on a host without
 * many of them no flow is ever thrown out.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DNS_FLOWS_UDP);
	__type(key, struct dns_flow);
	__type(value, __u32);
} dns_flows_udp SEC(".maps");

/* 8192 entries x 40 bytes; of their own: UDP cannot throw connections out. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DNS_FLOWS_TCP);
	__type(key, struct dns_flow);
	__type(value, __u32);
} dns_flows_tcp SEC(".maps");

/* 14 entries x 8 bytes on each possible CPU */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DNS_REDIRECT_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} dns_counts SEC(".maps");

/* Not counted: what is not about DNS shall not pay for it. */
#define NOT_DNS DNS_REDIRECT_REASONS

static __always_inline void count(__u32 reason)
{
	__u64 *n = bpf_map_lookup_elem(&dns_counts, &reason);

	/* NOT_DNS misses, and everything in a map that is too short. */
	if (n)
		++*n;
}

static __always_inline int is_own(const struct dns_address *address)
{
	return bpf_map_lookup_elem(&dns_addresses, address) != 0;
}

static __always_inline __u32 tuple_of(const struct seen *s, __be16 port,
				      struct bpf_sock_tuple *t)
{
	if (s->from.version == 4) {
		t->ipv4.saddr = s->from.words[0];
		t->ipv4.daddr = s->to.words[0];
		t->ipv4.sport = s->from_port;
		t->ipv4.dport = port;
		return sizeof(t->ipv4);
	}
	__builtin_memcpy(t->ipv6.saddr, s->from.words, 16);
	__builtin_memcpy(t->ipv6.daddr, s->to.words, 16);
	t->ipv6.sport = s->from_port;
	t->ipv6.dport = port;
	return sizeof(t->ipv6);
}

/*
 * To exactly that address: a wildcard socket on the real port is not ours.
 * Volatile: the fields of a socket can only be read where they are, and the
 * compiler would make pointers to them.
 */
static __always_inline int is_bound(const volatile struct bpf_sock *sk,
				    const struct bpf_sock_tuple *t, __u32 size)
{
	const __be32 v4 = sk->src_ip4, v6[4] = {sk->src_ip6[0], sk->src_ip6[1],
						sk->src_ip6[2], sk->src_ip6[3]};

	if (size == sizeof(t->ipv4))
		return v4 == t->ipv4.daddr;
	return v6[0] == t->ipv6.daddr[0] && v6[1] == t->ipv6.daddr[1] &&
	       v6[2] == t->ipv6.daddr[2] && v6[3] == t->ipv6.daddr[3];
}

/*
 * Two functions that are not inlined: the verifier knows two types of socket
 * and refuses one instruction for both, as the compiler would make it.
 */
static __noinline int udp_listens(void *ctx, struct bpf_sock_tuple *t,
				  __u32 size)
{
	struct bpf_sock *sk =
		bpf_sk_lookup_udp(ctx, t, size, BPF_F_CURRENT_NETNS, 0);
	int bound;

	if (!sk)
		return 0;
	bound = is_bound(sk, t, size);
	bpf_sk_release(sk);
	return bound;
}

/* bpf_skc_…: the connection may be half open, or in TIME_WAIT. */
static __noinline int tcp_listens(void *ctx, struct bpf_sock_tuple *t,
				  __u32 size)
{
	struct bpf_sock *sk =
		bpf_skc_lookup_tcp(ctx, t, size, BPF_F_CURRENT_NETNS, 0);
	int bound;

	if (!sk)
		return 0;
	bound = is_bound(sk, t, size);
	bpf_sk_release(sk);
	return bound;
}

static __always_inline int listens(void *ctx, const struct seen *s, __be16 port)
{
	struct bpf_sock_tuple t = {};
	const __u32 size = tuple_of(s, port, &t);

	return s->protocol == IPPROTO_UDP ? udp_listens(ctx, &t, size)
					  : tcp_listens(ctx, &t, size);
}

static __always_inline void *flows_of(const struct seen *s)
{
	return s->protocol == IPPROTO_UDP ? (void *)&dns_flows_udp
					  : (void *)&dns_flows_tcp;
}

static __always_inline struct dns_flow flow_of(const struct dns_address *client,
					       __be16 client_port,
					       const struct dns_address *own)
{
	struct dns_flow flow = {.client_port = client_port,
				.version = own->version};

	__builtin_memcpy(flow.client, client->words, sizeof(flow.client));
	__builtin_memcpy(flow.own, own->words, sizeof(flow.own));
	return flow;
}

/* What to write: another source or destination port. */
struct change {
	__u32 at; /* from the packet's start */
	__be16 from, to;
};

static __always_inline enum dns_redirect_reason
judge_answer(const struct seen *s, struct change *change)
{
	struct dns_flow flow = flow_of(&s->to, s->to_port, &s->from);

	/* A flow that was thrown out: the client does not get this answer. */
	if (!bpf_map_lookup_elem(flows_of(s), &flow))
		return DNS_ANSWERED_DIRECTLY;
	change->at = s->at;
	change->from = s->from_port;
	change->to = bpf_htons(DNS_PORT);
	return s->protocol == IPPROTO_UDP ? DNS_ANSWERED_UDP : DNS_ANSWERED_TCP;
}

static __always_inline enum dns_redirect_reason
judge_query(void *ctx, const struct seen *s,
	    const struct dns_settings *settings, struct change *change)
{
	struct dns_flow flow = flow_of(&s->from, s->from_port, &s->to);
	const int udp = s->protocol == IPPROTO_UDP, begins = udp || s->opens;
	const int known = bpf_map_lookup_elem(flows_of(s), &flow) != 0;
	const __be16 port = settings->port;
	const __u32 noted = 1;
	enum dns_redirect_reason no = DNS_REDIRECTED_UDP;

	if (begins ? settings->draining : !known)
		no = begins ? DNS_DRAINING : DNS_OTHER_CONNECTION;
	else if (!listens(ctx, s, port))
		no = DNS_NO_LISTENER;
	/* Cannot be noted: its answer would come from the wrong port. */
	else if (!known && bpf_map_update_elem(flows_of(s), &flow, &noted, 0))
		no = DNS_NO_ROOM;
	if (no != DNS_REDIRECTED_UDP) {
		/* The connection that begins here is somebody else's. */
		if (s->opens && known)
			bpf_map_delete_elem(flows_of(s), &flow);
		return no;
	}
	change->at = s->at + 2;
	change->from = s->to_port;
	change->to = port;
	return udp ? DNS_REDIRECTED_UDP : DNS_REDIRECTED_TCP;
}

static __always_inline enum dns_redirect_reason
judge_direct(const struct seen *s)
{
	struct dns_flow flow = flow_of(&s->from, s->from_port, &s->to);

	if (bpf_map_lookup_elem(flows_of(s), &flow))
		bpf_map_delete_elem(flows_of(s), &flow);
	return DNS_ASKED_DIRECTLY;
}

/* NOT_DNS, or a reason; `change` is set for those of them that rewrite. */
static __always_inline enum dns_redirect_reason
judge(void *ctx, const struct seen *s, struct change *change)
{
	const __be16 dns = bpf_htons(DNS_PORT);
	const __u32 only = 0;
	const struct dns_settings *settings =
		bpf_map_lookup_elem(&dns_settings, &only);
	__be16 port;

	/* An array has all its entries: no miss. */
	if (!settings)
		return NOT_DNS;
	port = settings->port;
	if (!port)
		return NOT_DNS;
	/* Answers first: a client may itself have port 53. */
	if (s->from_port == port && is_own(&s->from))
		return judge_answer(s, change);
	if (s->to_port == dns)
		return is_own(&s->to) ? judge_query(ctx, s, settings, change)
				      : DNS_NOT_OURS;
	if (s->to_port == port && is_own(&s->to))
		return judge_direct(s);
	return NOT_DNS;
}
