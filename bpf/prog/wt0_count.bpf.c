// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts what arrives on an L3 device (packets begin at the IP header) by
 * reason, and passes everything: malformed packets are the IP stack's to drop.
 * One judge() for both hooks. The version nibble chooses the family, never
 * skb->protocol, which an injected packet can contradict.
 */
#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/wt0_count.h"
#include "bpf/prog/cursor.bpf.h"

/* 5 entries x 16 bytes on each possible CPU */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WT0_REASONS);
	__type(key, __u32);
	__type(value, struct wt0_count);
} wt0_counts SEC(".maps");

static __always_inline enum wt0_reason judge_v4(struct cursor *c)
{
	struct iphdr *ip = take(c, sizeof(*ip));
	__u64 header, total;

	if (!ip)
		return WT0_SHORT;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	/* A GSO packet over 64 KiB ("BIG TCP") says 0: only the skb knows. */
	if (!total && c->len > 0xffff)
		total = c->len;
	if (header < sizeof(*ip) || total < header || total > c->len)
		return WT0_BAD_LENGTH;
	return WT0_PASS_V4;
}

static __always_inline enum wt0_reason judge_v6(struct cursor *c)
{
	struct ipv6hdr *ip = take(c, sizeof(*ip));

	if (!ip)
		return WT0_SHORT;
	/* 0 is also what a jumbogram says. */
	if (sizeof(*ip) + bpf_ntohs(ip->payload_len) > c->len)
		return WT0_BAD_LENGTH;
	return WT0_PASS_V6;
}

static __always_inline enum wt0_reason judge(struct cursor *c)
{
	struct cursor ahead = *c;
	__u8 *first = take(&ahead, 1);

	if (!first)
		return WT0_SHORT;
	switch (*first >> 4) {
	case 4:
		return judge_v4(c);
	case 6:
		return judge_v6(c);
	}
	return WT0_BAD_VERSION;
}

static __always_inline void count(__u32 reason, __u64 len)
{
	struct wt0_count *n = bpf_map_lookup_elem(&wt0_counts, &reason);

	/* Misses only in a map that is too short: uncounted, still passed. */
	if (!n)
		return;
	++n->packets;
	n->bytes += len;
}

SEC("tc")
int wt0_count_tc(struct __sk_buff *skb)
{
	const __u32 want = sizeof(struct ipv6hdr), len = skb->len;
	struct cursor c = {(void *)(long)skb->data, (void *)(long)skb->data_end,
			   len};

	/*
	 * Headers in a fragment cannot be read where they are. If they cannot
	 * be pulled the packet counts as short, and passes. Not for every
	 * packet: a pull copies the head of each one that tcpdump shares.
	 */
	if (c.pos + want > c.end) {
		bpf_skb_pull_data(skb, len < want ? len : want);
		c.pos = (void *)(long)skb->data;
		c.end = (void *)(long)skb->data_end;
	}
	count(judge(&c), len);
	/* -1: whoever is attached after us decides (TCX_NEXT has that value) */
	return TC_ACT_UNSPEC;
}

SEC("xdp")
int wt0_count_xdp(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data;
	void *end = (void *)(long)xdp->data_end;
	struct cursor c = {.pos = data, .end = end, .len = end - data};

	count(judge(&c), c.len);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
