// SPDX-License-Identifier: GPL-2.0-or-later
// Short ways to write states in tests.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "agent/model/state.hh"

namespace wigeon::make {

inline Prefix prefix(std::string_view s) { return Prefix::parse(s).value(); }
inline Endpoint endpoint(std::string_view s) { return Endpoint::parse(s).value(); }
inline InterfaceAddress address(std::string_view s) {
  return InterfaceAddress::parse(s).value();
}

// A public key whose first byte is n: sorts by n, prints as a letter's key.
inline Key key(uint8_t n) {
  std::array<uint8_t, kKeyBytes> b{};
  b[0] = n;
  return Key::from_bytes(b).value();
}

inline SecretKey secret(uint8_t n) {
  std::array<uint8_t, kKeyBytes> b{};
  b[1] = n;
  b[31] = 64;
  return SecretKey::from_bytes(b).value();
}

inline Peer peer(uint8_t n, std::vector<std::string_view> allowed,
                 std::string_view at = {}) {
  Peer p{.public_key = key(n), .keepalive = 25};
  for (const auto a : allowed) p.allowed_ips.push_back(prefix(a));
  std::ranges::sort(p.allowed_ips);
  if (!at.empty()) p.endpoint = endpoint(at);
  return p;
}

inline Route route(std::string_view to) {
  return {.destination = prefix(to), .protocol = 89};
}

inline Desired desired(std::vector<Peer> peers = {},
                       std::vector<std::string_view> routes = {}) {
  Desired d;
  d.private_key = secret(1);
  d.listen_port = 51820;
  d.fwmark = 0x1BD00;
  d.addresses = {address("100.64.0.1/16")};
  d.peers = std::move(peers);
  for (const auto r : routes) d.routes.push_back(route(r));
  std::ranges::sort(d.routes);
  return d;
}

// What the kernel has when `d` has been applied and nothing else happened.
inline Observed applied(const Desired& d) {
  Observed o;
  o.link = Link{.index = IfIndex{7},
                .name = d.link,
                .kind = d.link_kind,
                .alias = "wigeon:1",
                .mtu = d.mtu,
                .up = true};
  o.link_is_ours = true;
  ObservedDevice device{.private_key = d.private_key,
                        .public_key = d.private_key.public_key(),
                        .listen_port = d.listen_port,
                        .fwmark = d.fwmark};
  for (const auto& p : d.peers) device.peers.push_back({.peer = p});
  o.device = known(device, {});
  for (auto& p : o.device.peers) p.endpoint_set = p.endpoint;
  o.addresses = d.addresses;
  o.routes = d.routes;
  o.rules = d.rules;
  return o;
}

}  // namespace wigeon::make
