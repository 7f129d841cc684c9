// SPDX-License-Identifier: GPL-2.0-or-later
// Which endpoint a peer shall have when the map offers several, or the peer has moved.
// Pure.
//
// With a session:  the kernel's endpoint stays, wherever the peer roamed, unless the map
//                  has withdrawn it: neither it nor what the map gave before is offered
//                  any more. Then the first candidate is set at once.
// Without:         the endpoint of the last session is tried, then each candidate in the
//                  map's order, then again from the start. A trial ends kTrial after the
//                  kernel was seen to send; a peer that nothing is sent to is not
//                  failing.
//
// WireGuard sends a handshake again every 5 s (REKEY_TIMEOUT), so that a trial has two or
// three.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/tunnel.hh"
#include "agent/model/network_map.hh"

namespace wigeon {

// What names stand for, as far as it is known; in the resolver's order.
using Resolved = std::map<HostPort, std::vector<Endpoint>>;

inline constexpr size_t kMaxCandidates = 16;  // of one peer, names resolved
inline constexpr std::chrono::seconds kTrial{10};

struct Candidates {
  std::vector<Endpoint> list{};  // in order of preference, none twice
  uint64_t map = 0;  // changes with the map's own list, not with what names stand for
};

// unusable: sorted; addresses that no endpoint may have (Accepted::unusable_endpoints).
Candidates candidates(std::span<const Place> places, const Resolved& resolved,
                      std::span<const Address> unusable);

// What is remembered of a peer from one choice to the next. An Endpoint with port 0 is
// none.
struct EndpointState {
  uint64_t map = 0;    // Candidates::map of the last choice; 0: there was none
  Endpoint offered{};  // the last candidate that the kernel had or was given
  Endpoint worked{};   // the kernel's when there last was a session
  // The trial of the kernel's endpoint: since when, at which tx_bytes, and whether
  // anything was sent since. Epoch: none under way.
  std::chrono::system_clock::time_point since{};
  uint64_t sent = 0;
  bool tried = false;
};

// What the kernel says of the peer. Without an endpoint: it has none, or there is no such
// peer yet.
struct KernelPeer {
  std::optional<Endpoint> endpoint{};
  PeerStats stats{};
  uint16_t keepalive = 0;  // seconds; 0 is off
};

struct EndpointChoice {
  std::optional<Endpoint> set{};  // to be written; none: the kernel's stays
  EndpointState next{};
  // When to look at this peer again, if sooner than at all others.
  std::optional<std::chrono::milliseconds> look{};
};

EndpointChoice choose(const EndpointState& was, const Candidates& offered,
                      const KernelPeer& kernel,
                      std::chrono::system_clock::time_point now);

}  // namespace wigeon
