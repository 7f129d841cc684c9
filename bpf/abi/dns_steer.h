// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dns_steer: who gets what is sent to one of our addresses, port 53. What it
 * cannot give to a listener of ours goes where it would go without us.
 *
 *   dns_addresses     our addresses
 *   dns_listeners     sockets by enum dns_listener; one that is closed by its
 *                     last holder is out by itself
 *   dns_steer_counts  lookups by enum dns_steer_reason, for each CPU
 */
#pragma once

#include "bpf/abi/dns_address.h"

enum dns_listener { DNS_UDP4, DNS_UDP6, DNS_TCP4, DNS_TCP6, DNS_LISTENERS };

/*
 * Lookups to other ports are not counted: they should not pay for it. Neither
 * is a packet to a connected socket, which no program is asked about. Append
 * only: the map outlives the program.
 */
enum dns_steer_reason {
	DNS_STEERED_UDP4,
	DNS_STEERED_UDP6,
	DNS_STEERED_TCP4,
	DNS_STEERED_TCP6,
	DNS_STEER_NO_LISTENER,
	DNS_STEER_REFUSED,  /* by the kernel: a socket of another kind */
	DNS_STEER_NOT_OURS, /* port 53 of another address */
	DNS_STEER_REASONS
};
