// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon knows, as `wigeon status` shows it. Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/control/status.hh"
#include "agent/model/config.hh"
#include "agent/model/network_map.hh"
#include "agent/model/state.hh"
#include "agent/model/validate.hh"

namespace wigeon {

// When a peer's state was last seen to change.
struct PeerSeen {
  PeerState state = PeerState::idle;
  WallTime since = kNever;
};

struct ReportInput {
  const Config* config = nullptr;
  const NetworkMap* map = nullptr;  // null: none yet
  const Observed* observed = nullptr;
  const std::map<Key, PeerSeen>* seen = nullptr;
  Key public_key{};
  bool up = true;        // wanted by the administrator
  bool applied = false;  // the map is wholly in force
  bool kernel_tunnel = true;
  uint64_t operations = 0;  // carried out since the start
  MapStatus map_status{};
  DnsStatus dns{};
  std::vector<Refusal> refused{};
  std::vector<Degraded> degraded{};
  std::vector<EventStatus> events{};
};

// Connected: a handshake younger than kSessionLifetime. Connecting: an endpoint to try.
// Idle: none.
PeerState peer_state(const ObservedPeer* peer, WallTime now);

// Keeps seen up with the device: new states with the time, gone peers not at all.
void note_peers(const Observed& observed, WallTime now, std::map<Key, PeerSeen>& seen);

StatusReport make_report(const ReportInput& in, WallTime now);

}  // namespace wigeon
