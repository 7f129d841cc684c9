// SPDX-License-Identifier: GPL-2.0-or-later
// The rebinding guard: a public name must not stand for a service of this host or of the
// overlay, since programs (browsers first) judge by names whom they talk to. Pure.
#pragma once

#include "agent/base/ip.hh"
#include "dns/message.hh"

namespace wigeon::dns {

struct RebindingGuard {
  std::vector<Address> own{};
  std::vector<Prefix> overlay{};
};

// Addresses that only this host may name: loopback, "this host" (0.0.0.0/8, ::),
// link-local, overlay, own; also in IPv4-mapped form. Private ones (RFC 1918, fc00::/7)
// are not among them: the servers of a site answer with these rightly.
bool is_guarded(const RebindingGuard& guard, const Address& address);

// reply: as scrub() writes it. Whether an A or AAAA record in it is guarded.
bool rebinds(const RebindingGuard& guard, Bytes reply);

// The same reply without its records: NODATA with extended error 15 (Blocked). SERVFAIL
// would send clients to their next server, which has no guard. Returns its size.
size_t withhold(Bytes reply, std::span<uint8_t> out);

}  // namespace wigeon::dns
