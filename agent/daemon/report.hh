// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon knows, as `wigeon status` shows it. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/control/status.hh"
#include "agent/daemon/peer_history.hh"
#include "agent/model/client_routes.hh"
#include "agent/model/config.hh"
#include "agent/model/network_map.hh"
#include "agent/model/validate.hh"

namespace wigeon {

struct ReportInput {
  const Config* config = nullptr;
  const NetworkMap* map = nullptr;         // null: none yet
  const ObservedDevice* device = nullptr;  // null: there is none
  const PeerHistory* history = nullptr;
  const ClientRoutes* client_routes = nullptr;  // null: no map is in force
  std::vector<std::string> served{};            // networks that peers reach through us
  size_t forwarded = 0;                         // forwarding rules in force
  RoutingStatus routing{};                      // without groups and refusals
  bool ipv6 = true;                             // the host has it
  Key public_key{};
  bool up = true;        // wanted by the administrator
  bool applied = false;  // the map is wholly in force
  bool kernel_tunnel = true;
  MapStatus map_status{};
  DnsStatus dns{};
  std::vector<Refusal> refused{};
  std::vector<Degraded> degraded{};
  std::vector<EventStatus> events{};
};

// "route add 10.1.0.0/16 dev wt0", or "3 operations, first: route add 10.1.0.0/16 dev
// wt0". transcript: of what was done, a line or more each.
std::string repair_text(size_t operations, std::string_view transcript);

// What `down` answers when not everything of ours could be taken off the host.
std::string left_over_text(const std::vector<std::string>& left);

StatusReport make_report(const ReportInput& in, WallTime now);

}  // namespace wigeon
