// SPDX-License-Identifier: GPL-2.0-or-later
// From settings and an accepted map to what shall be on the host. Pure.
#pragma once

#include "agent/model/client_routes.hh"
#include "agent/model/config.hh"
#include "agent/model/network_map.hh"
#include "agent/model/state.hh"
#include "agent/model/validate.hh"

namespace wigeon {

inline constexpr uint16_t kDefaultKeepalive = 25;  // seconds; NetBird's

// own_preshared: for peers whose entry has none; all zero: none. resolved: what
// endpoints' names stand for; a peer none of whose names is in it may have no endpoint
// for now. host: what is beside us, as Kernel::view() says. client_routes: what
// choose_routes() made of the map's routes; without it only networks in peers' allowed
// IPs are routed.
Desired desired(const Config& config, const NetworkMap& map, const SecretKey& own,
                const SecretKey& own_preshared, const Resolved& resolved,
                const Accepted& accepted, const HostView& host = {},
                const ClientRoutes& client_routes = {});

// What the kernel's WireGuard changes beside its device and never takes back: it turns
// ICMP redirects off in the whole namespace whenever such a link is set up (wg_open() in
// drivers/net/wireguard/device.c). Wanted here, so that it is on record and undone.
void add_tunnel_sysctls(Desired& d);

}  // namespace wigeon
