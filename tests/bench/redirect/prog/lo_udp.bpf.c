// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UDP over IPv4 only, headers of fixed length, the checksum dropped: the least
 * that a redirect by XDP on lo can do.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

const volatile __be32 own;
const volatile __be16 port;

SEC("xdp")
int lo_udp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data,
	     *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	if (ip->daddr == own && udp->dest == bpf_htons(53))
		udp->dest = port;
	else if (ip->saddr == own && udp->source == port)
		udp->source = bpf_htons(53);
	else
		return XDP_PASS;
	udp->check = 0;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
