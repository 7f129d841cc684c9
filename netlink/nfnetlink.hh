// SPDX-License-Identifier: GPL-2.0-or-later
// The little of nfnetlink that libnftables does not do for us: whether it can work at
// all, and transactions of messages of our own.
#pragma once

#include <linux/netfilter/nfnetlink.h>

#include <span>

#include "netlink/message.hh"

namespace wigeon::netlink {

// Whether nf_tables is there and may be used: EPERM without CAP_NET_ADMIN, EOPNOTSUPP
// when the kernel has none.
Result<void> probe_nft();

// A message of nf_tables (NFT_MSG_*) with its header.
Msg nft_message(int type, int flags, uint8_t family, size_t capacity = kSmallMessage);

// Sends the messages as one transaction, all of it or nothing, and waits for its outcome.
Result<void> transact_nft(std::span<const Msg> messages);

}  // namespace wigeon::netlink
