// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Port 53 of our addresses on another port of them: at the ingress of lo every
 * local packet passes, questions and answers. Fails open: a packet that is not
 * understood, or cannot be written, goes on as it came.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "bpf/prog/dns_redirect.bpf.h"

static __always_inline __u32 check_offset(const struct seen *s)
{
	return s->protocol == IPPROTO_UDP
		       ? __builtin_offsetof(struct udphdr, check)
		       : __builtin_offsetof(struct tcphdr, check);
}

/*
 * The same, as the verifier does not know: it does not follow values through
 * halves in memory. Else it would follow each way to the header separately
 * through all of the judgement, eight times the work.
 */
static __always_inline __u32 forgotten(__u32 offset)
{
	volatile union {
		__u8 halves[2];
		__u16 whole;
	} u;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	u.halves[0] = offset;
	u.halves[1] = offset >> 8;
#else
	u.halves[0] = offset >> 8;
	u.halves[1] = offset;
#endif
	return u.whole;
}

static __always_inline __u32 reason_of(void *ctx, enum look seen,
				       struct seen *s, struct change *change)
{
	switch (seen) {
	case SEEN:
		s->at = forgotten(s->at);
		return judge(ctx, s, change);
	case OTHER:
		return NOT_DNS;
	case DEEP:
		return DNS_TOO_DEEP;
	case CUT:
	case WRONG:
		break;
	}
	return DNS_MALFORMED;
}

static __always_inline int rewrites(__u32 reason)
{
	return reason <= DNS_ANSWERED_TCP;
}

static __always_inline enum look look_linear(struct __sk_buff *skb,
					     struct seen *s)
{
	struct cursor c = {(void *)(long)skb->data, (void *)(long)skb->data_end,
			   skb->len};

	return look(&c, s);
}

static __always_inline int write_tc(struct __sk_buff *skb, const struct seen *s,
				    const struct change *change)
{
	const __u64 mangled =
		s->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	/* The helper knows whether the checksum is yet to be made. It makes the
	   header writable up to there, so that the port can be written. */
	return bpf_l4_csum_replace(skb, s->at + check_offset(s), change->from,
				   change->to, mangled | sizeof(change->to)) ||
	       bpf_skb_store_bytes(skb, change->at, &change->to,
				   sizeof(change->to), 0);
}

SEC("tc")
int dns_redir_tc(struct __sk_buff *skb)
{
	struct seen s = {};
	struct change change = {};
	enum look seen = look_linear(skb, &s);
	__u32 reason;

	/* Headers in a fragment cannot be read where they are. If they cannot
	   be pulled the packet counts as malformed, and passes. Not for every
	   packet: a pull copies the head of each one that tcpdump shares. */
	if (seen == CUT && skb->data_end - skb->data < skb->len) {
		bpf_skb_pull_data(skb, skb->len < HEADERS_MOST ? skb->len
							       : HEADERS_MOST);
		seen = look_linear(skb, &s);
	}
	reason = reason_of(skb, seen, &s, &change);
	if (rewrites(reason) && write_tc(skb, &s, &change))
		reason = DNS_NOT_WRITTEN;
	if (reason != NOT_DNS)
		count(reason);
	/* -1: whoever is attached after us decides (TCX_NEXT has that value) */
	return TC_ACT_UNSPEC;
}

/* RFC 1624, (3): no checksum over the rest of the packet. */
static __always_inline __u16 replaced(__u16 check, __be16 from, __be16 to)
{
	__u32 sum = (__u16)~check + (__u16)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline int write_xdp(struct xdp_md *xdp, const struct seen *s,
				     const struct change *change)
{
	void *data = (void *)(long)xdp->data,
	     *end = (void *)(long)xdp->data_end;
	__u64 port = change->at, check = s->at + check_offset(s);
	__u16 *at_port, *at_check, made;

	/* The verifier forgot how large they are; the compiler shall not
	   know that it did. */
	barrier_var(port);
	barrier_var(check);
	at_port = data + (port & 0x3fff);
	at_check = data + (check & 0x3fff);
	if ((void *)(at_port + 1) > end || (void *)(at_check + 1) > end)
		return -1;
	*at_port = change->to;
	if (s->protocol == IPPROTO_UDP) {
		if (!*at_check) /* none */
			return 0;
		made = replaced(*at_check, change->from, change->to);
		*at_check = made ? made : 0xffff;
	} else {
		*at_check = replaced(*at_check, change->from, change->to);
	}
	return 0;
}

/* Never with frags: kernels that rebuild such packets on lo have crashed. */
SEC("xdp")
int dns_redir_xdp(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data,
	     *end = (void *)(long)xdp->data_end;
	struct cursor c = {.pos = data, .end = end, .len = end - data};
	struct seen s = {};
	struct change change = {};
	__u32 reason = reason_of(xdp, look(&c, &s), &s, &change);

	if (rewrites(reason) && write_xdp(xdp, &s, &change))
		reason = DNS_NOT_WRITTEN;
	if (reason != NOT_DNS)
		count(reason);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
