// SPDX-License-Identifier: GPL-2.0-or-later
/* An address as key of a map, and the set of addresses that are ours. */
#pragma once

#include "bpf/abi/abi.h"

/* IPv4 is in the first word, the others are zero. */
struct dns_address {
	__u32 version; /* 4 or 6 */
	__be32 words[4];
};
ABI_SIZE(dns_address, 4 + 4 * 4);

/* Old and new ones are in the map together while they are replaced. */
#define DNS_ADDRESSES_MOST 8
#define DNS_ADDRESSES_ROOM (2 * DNS_ADDRESSES_MOST)

#define DNS_PORT 53
