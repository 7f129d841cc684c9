// SPDX-License-Identifier: GPL-2.0-or-later
// The same peers and routes in the form that each contender takes. Peer i is the same in
// every run: a key, an endpoint, a keepalive and one address of either family.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/base/tunnel.hh"
#include "netlink/route.hh"
#include "tests/bench/netlink/raw.h"

namespace wigeon::bench {

inline constexpr uint16_t kPort = 51820;
inline constexpr uint32_t kTable = 7120;
inline constexpr uint8_t kRouteProtocol = 89;

raw_peer peer(uint32_t i, uint16_t port = kPort);
std::vector<raw_peer> peers(uint32_t n);
// Ours.
PeerChange change_of(const raw_peer& p, PeerChange::Kind kind);
DeviceChange change_of(std::span<const raw_peer> peers, PeerChange::Kind kind);
// wg(8)'s configuration; no private key when it is empty.
std::string config_of(std::span<const raw_peer> peers, const std::string& private_key);
std::string key_text(const raw_peer& p);
std::string endpoint_text(const raw_peer& p);
std::string allowed_ips_text(const raw_peer& p);

// 10.x.y.0/24, at most 65,536 of them.
std::vector<raw_prefix> routes(uint32_t n);
std::vector<netlink::RouteChange> changes_of(std::span<const raw_prefix> to,
                                             IfIndex device);
// For ip(8) with -batch.
std::string batch_of(std::span<const raw_prefix> to, const std::string& device);

// A key of the bench's own, always the same.
SecretKey private_key();

}  // namespace wigeon::bench
