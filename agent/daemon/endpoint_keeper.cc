// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/endpoint_keeper.hh"

#include <algorithm>

#include "agent/daemon/peer_history.hh"
#include "agent/model/desired.hh"

namespace wigeon {

void EndpointKeeper::offer(const NetworkMap& map, const Accepted& accepted,
                           const Resolved& resolved) {
  std::vector<Steered> peers;
  for (size_t i = 0; i < map.remote_peers.size(); ++i) {
    if (!accepted.peers[i]) continue;
    const auto p = map.remote_peers[i];
    auto offered = candidates(p.endpoints(), resolved, accepted.unusable_endpoints);
    if (offered.list.size() < 2) continue;
    peers.push_back({.public_key = p.key,
                     .keepalive = p.keepalive.value_or(kDefaultKeepalive),
                     .offered = std::move(offered)});
  }
  std::ranges::sort(peers, {}, &Steered::public_key);
  for (auto& p : peers) {
    const auto was =
        std::ranges::lower_bound(peers_, p.public_key, {}, &Steered::public_key);
    if (was == peers_.end() || was->public_key != p.public_key) continue;
    p.state = was->state;
    p.set = was->set;
  }
  peers_ = std::move(peers);
}

EndpointKeeper::Looked EndpointKeeper::look(const ObservedDevice& device,
                                            std::chrono::system_clock::time_point now) {
  Looked looked;
  for (auto& p : peers_) {
    KernelPeer kernel{.keepalive = p.keepalive};
    if (const auto* have = find_peer(device, p.public_key))
      kernel = {have->peer.endpoint, have->stats, have->peer.keepalive};
    const auto choice = choose(p.state, p.offered, kernel, now);
    p.state = choice.next;
    if (choice.set && choice.set != p.set) {
      p.set = choice.set;
      looked.changed = true;
    }
    if (choice.look)
      looked.again = std::min(looked.again.value_or(*choice.look), *choice.look);
  }
  return looked;
}

void EndpointKeeper::steer(Desired& d) const {
  for (const auto& p : peers_) {
    const auto at =
        std::ranges::lower_bound(d.peers, p.public_key, {}, &Peer::public_key);
    if (at == d.peers.end() || at->public_key != p.public_key) continue;
    if (p.set) at->endpoint = p.set;
    d.steered.push_back(p.public_key);
  }
}

}  // namespace wigeon
