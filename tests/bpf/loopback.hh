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
// Within a second; nothing: none came.
std::optional<Datagram> receive(int socket);
bool readable(int socket, int milliseconds = 1000);
void send_to(int socket, const Endpoint& to, std::string_view text);
Endpoint name_of(int socket);
Endpoint peer_of(int socket);

}  // namespace wigeon::test
