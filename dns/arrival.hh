// SPDX-License-Identifier: GPL-2.0-or-later
// How a datagram came, from the control messages beside it, and those of its reply.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <optional>
#include <span>

#include "agent/base/ip.hh"

namespace wigeon::dns {

struct Arrival {
  uint32_t interface = 0;         // its index; 0: not known
  std::optional<Endpoint> to{};   // as its sender wrote it, whoever was given it
  const cmsghdr* info = nullptr;  // IP_PKTINFO or IPV6_PKTINFO
};

inline constexpr size_t kPacketInfoSize = CMSG_SPACE(sizeof(in6_pktinfo));
inline constexpr size_t kArrivalSize = kPacketInfoSize + CMSG_SPACE(sizeof(sockaddr_in6));

// m: a datagram of a socket of open_listeners().
Arrival arrival(const msghdr& m);

// The packet information of the reply: same local address, any interface. Returns the
// bytes used; 0 leaves the choice to the kernel, which takes the address the socket is
// bound to.
size_t reply_control(const cmsghdr* in, const std::optional<Address>& bound,
                     std::span<std::byte> out);

}  // namespace wigeon::dns
