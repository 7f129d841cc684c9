// SPDX-License-Identifier: GPL-2.0-or-later
// Which state each peer is in, and since when. Pure.
#pragma once

#include <vector>

#include "agent/base/tunnel.hh"
#include "agent/control/status.hh"

namespace wigeon {

struct PeerSeen {
  Key public_key{};
  PeerState state = PeerState::idle;
  WallTime since = kNever;
};

// Connected: a session. Connecting: an endpoint to try. Idle: none, or null.
PeerState peer_state(const ObservedPeer* peer, WallTime now);

// Null when the device has no such peer.
const ObservedPeer* find_peer(const ObservedDevice& device, const Key& key);

class PeerHistory {
 public:
  // New states get the time, gone peers are forgotten. device.peers is sorted.
  void note(const ObservedDevice& device, WallTime now);
  void clear() { seen_.clear(); }
  [[nodiscard]] const PeerSeen* find(const Key& key) const;

 private:
  std::vector<PeerSeen> seen_{};  // by public key
};

}  // namespace wigeon
