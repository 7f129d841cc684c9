// SPDX-License-Identifier: GPL-2.0-or-later
// From settings and an accepted map to what shall be on the host. Pure.
#pragma once

#include <map>

#include "agent/model/config.hh"
#include "agent/model/network_map.hh"
#include "agent/model/state.hh"
#include "agent/model/validate.hh"

namespace wigeon {

inline constexpr uint16_t kDefaultKeepalive = 25;  // seconds; NetBird's

// own_preshared: for peers whose entry has none; all zero: none. resolved: what
// endpoints' names stand for; a peer whose name is not in it has no endpoint for now.
// Routes of the map are not in it yet: only networks in peers' allowed IPs are routed.
Desired desired(const Config& config, const NetworkMap& map, const SecretKey& own,
                const SecretKey& own_preshared,
                const std::map<HostPort, Endpoint>& resolved, const Accepted& accepted);

}  // namespace wigeon
