// SPDX-License-Identifier: GPL-2.0-or-later
// Names that are never asked upstream, whoever would be asked: they are no names of the
// DNS, or mean this host (RFC 6761, 7686, 9462, 9476; RFC 6303 for the reverse of
// loopback).
//
// "local" is not among them: where its names are not multicast DNS, they are those of a
// site's own servers, and a host that could resolve them before must go on. Likewise
// "test", "home.arpa" and the reverse zones of private addresses.
#pragma once

#include <optional>

#include "dns/name.hh"

namespace wigeon::dns {

struct Special {
  Bytes apex{};         // what the SOA record of a "no" is for
  bool exists = false;  // else NXDOMAIN
  uint16_t type = 0;    // of the one record it has; 0: none
  Bytes rdata{};
};
// type: what is asked for. Of a name's types only the one asked for is given; for ANY the
// first. name: wire form, lower case.
std::optional<Special> special(Bytes name, uint16_t type);

}  // namespace wigeon::dns
