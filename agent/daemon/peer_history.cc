// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/peer_history.hh"

#include <algorithm>

namespace wigeon {
namespace {

const Key& key_of(const ObservedPeer& p) { return p.peer.public_key; }

}  // namespace

PeerState peer_state(const ObservedPeer* peer, WallTime now) {
  if (!peer) return PeerState::idle;
  if (has_session(peer->stats, now)) return PeerState::connected;
  return peer->peer.endpoint ? PeerState::connecting : PeerState::idle;
}

const ObservedPeer* find_peer(const ObservedDevice& device, const Key& key) {
  const auto at = std::ranges::lower_bound(device.peers, key, {}, key_of);
  return at != device.peers.end() && key_of(*at) == key ? &*at : nullptr;
}

void PeerHistory::note(const ObservedDevice& device, WallTime now) {
  std::vector<PeerSeen> seen;
  seen.reserve(device.peers.size());
  auto before = seen_.begin();
  for (const auto& p : device.peers) {
    const auto state = peer_state(&p, now);
    while (before != seen_.end() && before->public_key < key_of(p)) ++before;
    const bool same = before != seen_.end() && before->public_key == key_of(p) &&
                      before->state == state;
    seen.push_back({key_of(p), state, same ? before->since : now});
  }
  seen_ = std::move(seen);
}

const PeerSeen* PeerHistory::find(const Key& key) const {
  const auto at = std::ranges::lower_bound(seen_, key, {}, &PeerSeen::public_key);
  return at != seen_.end() && at->public_key == key ? &*at : nullptr;
}

}  // namespace wigeon
