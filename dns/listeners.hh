// SPDX-License-Identifier: GPL-2.0-or-later
// The sockets the resolver answers on. The daemon binds them, since it has the privilege.
#pragma once

#include <span>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/owned.hh"
#include "agent/base/result.hh"
#include "dns/answer.hh"

namespace wigeon::dns {

struct ListenerInfo {
  Transport transport = Transport::udp;
  Endpoint endpoint{};
  friend bool operator==(const ListenerInfo&, const ListenerInfo&) = default;
};

struct ListenerSocket {
  Transport transport = Transport::udp;
  Endpoint endpoint{};
  UniqueFd fd{};
  [[nodiscard]] ListenerInfo info() const { return {transport, endpoint}; }
};
using ListenerSockets = std::vector<ListenerSocket>;

inline constexpr size_t kMaxListeners = 64;

// UDP and TCP on each address at this port; port 0: a free one, the same for all. All or
// nothing: the error names address, port and, where it can be seen, the program that
// holds them. The addresses must be on the host (no IP_FREEBIND).
Result<ListenerSockets> open_listeners(std::span<const Address> addresses, uint16_t port);
// The same at this port, or at a free one when it is taken.
Result<ListenerSockets> open_listeners_near(std::span<const Address> addresses,
                                            uint16_t port);

// 127.0.0.1 and ::1, as far as these addresses have the family: where queries for them
// are steered to.
std::vector<Address> loopback_for(std::span<const Address> addresses);

}  // namespace wigeon::dns
