// SPDX-License-Identifier: GPL-2.0-or-later
/* What a packet on an Ethernet device says of its ports: UDP and TCP, behind
   any IPv4 options and behind IPv6 extension headers. */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "bpf/abi/dns_redirect.h"
#include "bpf/prog/cursor.bpf.h"

struct seen {
	struct dns_address from, to;
	__be16 from_port, to_port;
	__u8 protocol; /* IPPROTO_UDP, IPPROTO_TCP */
	__u8 opens;    /* TCP: the first packet of a connection */
	__u32 at;      /* offset of the UDP or TCP header */
};

enum look {
	SEEN,
	OTHER, /* no ports: other protocols, later fragments */
	CUT,   /* ends inside a header, as far as it can be read */
	WRONG, /* contradicts itself */
	DEEP,  /* more extension headers than we follow */
};

/* The longest that is read: all the extension headers at their longest. */
#define HEADERS_MOST                                                           \
	(ETH_HLEN + sizeof(struct ipv6hdr) + DNS_EXTENSIONS_MOST * 256 * 8 +   \
	 sizeof(struct tcphdr))

static __always_inline int has_ports(__u8 protocol)
{
	return protocol == IPPROTO_UDP || protocol == IPPROTO_TCP;
}

/* `left`: how much of the packet is behind the headers so far. */
static __always_inline enum look look_at_ports(struct cursor *c, __u64 left,
					       struct seen *s)
{
	if (s->protocol == IPPROTO_UDP) {
		const struct udphdr *udp = take(c, sizeof(*udp));

		if (left < sizeof(*udp))
			return WRONG;
		if (!udp)
			return CUT;
		s->from_port = udp->source;
		s->to_port = udp->dest;
		s->opens = 0;
	} else {
		const struct tcphdr *tcp = take(c, sizeof(*tcp));

		if (left < sizeof(*tcp))
			return WRONG;
		if (!tcp)
			return CUT;
		s->from_port = tcp->source;
		s->to_port = tcp->dest;
		s->opens = tcp->syn && !tcp->ack;
	}
	return SEEN;
}

static __always_inline enum look look_v4(struct cursor *c, struct seen *s)
{
	const __u64 size = c->len - ETH_HLEN;
	const struct iphdr *ip = take(c, sizeof(*ip));
	__u64 header, total;

	if (!ip)
		return CUT;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	/* A GSO packet over 64 KiB ("BIG TCP") says 0: only the skb knows. */
	if (!total && size > 0xffff)
		total = size;
	if (ip->version != 4 || header < sizeof(*ip) || total < header ||
	    total > size)
		return WRONG;
	if (!has_ports(ip->protocol) || ip->frag_off & bpf_htons(0x1fff))
		return OTHER;
	s->from = (struct dns_address){.version = 4, .words = {ip->saddr}};
	s->to = (struct dns_address){.version = 4, .words = {ip->daddr}};
	s->protocol = ip->protocol;
	s->at = ETH_HLEN + header;
	if (!take(c, header - sizeof(*ip)))
		return CUT;
	return look_at_ports(c, total - header, s);
}

static __always_inline void copy_v6(struct dns_address *to, const __be32 *words)
{
	to->version = 6;
	to->words[0] = words[0];
	to->words[1] = words[1];
	to->words[2] = words[2];
	to->words[3] = words[3];
}

static __always_inline enum look look_v6(struct cursor *c, struct seen *s)
{
	const __u64 size = c->len - ETH_HLEN;
	const struct ipv6hdr *ip = take(c, sizeof(*ip));
	__u64 total, header = sizeof(*ip);
	__u8 next;

	if (!ip)
		return CUT;
	total = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	/* As in IPv4; jumbograms have no other way to be that long. */
	if (!ip->payload_len && size > sizeof(*ip) + 0xffff)
		total = size;
	if (ip->version != 6 || total > size)
		return WRONG;
	copy_v6(&s->from, ip->saddr.in6_u.u6_addr32);
	copy_v6(&s->to, ip->daddr.in6_u.u6_addr32);
	next = ip->nexthdr;
#pragma unroll
	for (int i = 0; i < DNS_EXTENSIONS_MOST && !has_ports(next); ++i) {
		const __u8 *extension;
		__u64 length;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
			return OTHER;
		extension = take(c, 8);
		if (!extension)
			return CUT;
		length = 8;
		if (next == IPPROTO_FRAGMENT) {
			/* Of its offset the last three bits are others'. */
			if (extension[2] || extension[3] & 0xf8)
				return OTHER;
		} else {
			/* Segments left: it goes on to somewhere else. */
			if (next == IPPROTO_ROUTING && extension[3])
				return OTHER;
			length += extension[1] * 8;
		}
		next = extension[0];
		if (!take(c, length - 8))
			return CUT;
		header += length;
	}
	if (!has_ports(next))
		return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
				       next == IPPROTO_DSTOPTS ||
				       next == IPPROTO_FRAGMENT
			       ? DEEP
			       : OTHER;
	if (header > total)
		return WRONG;
	s->protocol = next;
	s->at = ETH_HLEN + header;
	return look_at_ports(c, total - header, s);
}

/* The Ethernet type chooses the family: by it the kernel does. */
static __always_inline enum look look(struct cursor *c, struct seen *s)
{
	const struct ethhdr *ethernet = take(c, sizeof(*ethernet));

	if (!ethernet)
		return CUT;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP))
		return look_v4(c, s);
	if (ethernet->h_proto == bpf_htons(ETH_P_IPV6))
		return look_v6(c, s);
	return OTHER;
}
