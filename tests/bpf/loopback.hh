// SPDX-License-Identifier: GPL-2.0-or-later
// The loopback device of the test's own namespace, with addresses and listeners.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/ip.hh"
#include "agent/base/owned.hh"

namespace wigeon::test {

// Up, with these addresses; what is there already stays.
void loopback_up(std::initializer_list<Address> addresses);
void loopback_mtu(int mtu);
// Largest GSO packet; false when the kernel has none over 64 KiB.
bool loopback_segments(uint32_t bytes);
// Packets that were made by hand may come from our own addresses.
void loopback_accept_own();

enum class Sharing : uint8_t { none, address };  // SO_REUSEADDR

// Bound; of TCP listening. Needs no address on a device. Null when somebody has the
// place.
UniqueFd bound(int type, const Endpoint& at, Sharing sharing = Sharing::none);

struct Datagram {
  std::string text{};
  Endpoint from{};
  uint16_t asked_port = 0;  // as IP_RECVORIGDSTADDR says; 0 unless asked for
};
void tell_asked_port(int socket);
// How long to wait for what must come; and for what must not, and would come at once.
inline constexpr int kPatience = 5'000, kShort = 100;
// Nothing: none came.
std::optional<Datagram> receive(int socket, int milliseconds = kPatience);
bool readable(int socket, int milliseconds = kPatience);
void send_to(int socket, const Endpoint& to, std::string_view text);
Endpoint name_of(int socket);
Endpoint peer_of(int socket);

}  // namespace wigeon::test
