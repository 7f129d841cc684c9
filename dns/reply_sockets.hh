// SPDX-License-Identifier: GPL-2.0-or-later
// Raw UDP sockets, by which replies leave from a port that no socket of ours is bound to:
// a query that was steered to us must be answered from where it was sent to. The kernel
// writes the IP header and takes no source but an address of this host; the UDP header is
// ours (dns/udp_header.hh). They receive nothing and are in no table of the kernel, so no
// other packet meets them.
#pragma once

#include <span>

#include "agent/base/ip.hh"
#include "agent/base/owned.hh"
#include "agent/base/result.hh"

namespace wigeon::dns {

struct ReplySockets {
  UniqueFd v4{}, v6{};
};

// One for each family of these addresses. EPERM without CAP_NET_RAW. A datagram that does
// not fit the way's MTU gets EMSGSIZE and is not fragmented.
Result<ReplySockets> open_reply_sockets(std::span<const Address> addresses);

}  // namespace wigeon::dns
