// SPDX-License-Identifier: GPL-2.0-or-later
// The eight bytes before a UDP payload (RFC 768), for a socket that leaves them to us.
#pragma once

#include <array>
#include <cstdint>

#include "agent/base/ip.hh"
#include "dns/name.hh"

namespace wigeon::dns {

using UdpHeader = std::array<uint8_t, 8>;
inline constexpr size_t kMaxUdpPayload = 65535 - 8;  // over IPv4 20 fewer

// With a checksum, so it is never 0. from and to are of one family.
UdpHeader udp_header(const Endpoint& from, const Endpoint& to, Bytes payload);

}  // namespace wigeon::dns
