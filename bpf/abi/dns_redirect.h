// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dns_redirect: port 53 of our addresses is another port of them, for what
 * arrives on a device with Ethernet headers (lo).
 *
 * Query: to our address, port 53. It goes to the real port when a socket that
 * is bound to exactly this address and that port is there to take it, and the
 * flow {protocol, client, client's port, our address} is noted; otherwise it is
 * left alone and goes where it would go without us. A TCP connection is
 * redirected as a whole or not at all: its first packet decides.
 * Answer: from the real port of our address, in a noted flow. It gets source
 * port 53. All other answers are left alone, so that who asks the real port is
 * answered from there. Of a client that asks both ports from one port of its
 * own the last question counts: a packet to the real port forgets the flow.
 * What comes from the real port is never a query: no loop.
 * Draining: no new flows, so UDP queries are left alone; answers of noted flows
 * and packets of noted TCP connections are rewritten as before.
 *
 * Nothing but the port and its checksum ever changes. Later fragments have no
 * ports; IPv6 headers are followed through DNS_EXTENSIONS_MOST extensions.
 *
 *   dns_addresses        our addresses
 *   dns_settings         one struct dns_settings, read for each packet
 *   dns_flows_udp, _tcp  noted flows, the longest unused ones leave first
 *   dns_counts           packets by enum dns_redirect_reason, for each CPU
 */
#pragma once

#include "bpf/abi/dns_address.h"

/* Hop-by-hop options, routing, destination options, fragment. */
#define DNS_EXTENSIONS_MOST 6

struct dns_settings {
	__be16 port;	/* the real one; 0: everything is left alone */
	__u16 draining; /* 0 or 1 */
};
ABI_SIZE(dns_settings, 2 + 2);

struct dns_flow {
	__be32 client[4]; /* as in struct dns_address */
	__be32 own[4];
	__be16 client_port;
	__u8 version; /* 4 or 6 */
	__u8 zero;
};
ABI_SIZE(dns_flow, 4 * 4 + 4 * 4 + 2 + 1 + 1);

#define DNS_FLOWS_UDP 32768
#define DNS_FLOWS_TCP 8192

/* Append only: the map outlives the program. The first four rewrite. */
enum dns_redirect_reason {
	DNS_REDIRECTED_UDP,
	DNS_REDIRECTED_TCP,
	DNS_ANSWERED_UDP,
	DNS_ANSWERED_TCP,
	DNS_NO_LISTENER,
	DNS_DRAINING,	       /* would begin a flow */
	DNS_OTHER_CONNECTION,  /* TCP to port 53 that did not begin with us */
	DNS_NOT_OURS,	       /* to port 53 of another address */
	DNS_ASKED_DIRECTLY,    /* to the real port */
	DNS_ANSWERED_DIRECTLY, /* from the real port, in no noted flow */
	DNS_MALFORMED,	       /* ends inside a header, or says so */
	DNS_TOO_DEEP,	       /* more extension headers than we follow */
	DNS_NO_ROOM,	       /* the flow could not be noted */
	DNS_NOT_WRITTEN,       /* the kernel did not let us */
	DNS_REDIRECT_REASONS
};
