// SPDX-License-Identifier: GPL-2.0-or-later
/* For tests of the resolver: what is for the test's address at port 53 goes to
 * the sockets in the map. Without one there it takes its ordinary way.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define AF_INET 2
#define PORT 53

/* UDP, TCP; the same of IPv6. 4 × 8 bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

/* In network order; set before load. */
const volatile __u32 address4;
const volatile __u32 address6[4];

static __always_inline int is_ours(const struct bpf_sk_lookup *ctx)
{
	if (ctx->local_port != PORT)
		return 0;
	if (ctx->family == AF_INET)
		return ctx->local_ip4 == address4;
	return ctx->local_ip6[0] == address6[0] &&
	       ctx->local_ip6[1] == address6[1] &&
	       ctx->local_ip6[2] == address6[2] &&
	       ctx->local_ip6[3] == address6[3];
}

SEC("sk_lookup")
int steer_query(struct bpf_sk_lookup *ctx)
{
	__u32 key = ctx->protocol == IPPROTO_TCP;
	struct bpf_sock *sk;

	if (!is_ours(ctx))
		return SK_PASS;
	if (ctx->family != AF_INET)
		key += 2;
	sk = bpf_map_lookup_elem(&sockets, &key);
	if (!sk)
		return SK_PASS;
	bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return SK_PASS;
}

char LICENSE[] SEC("license") = "GPL";
