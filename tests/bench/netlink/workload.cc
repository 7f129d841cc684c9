// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/workload.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace wigeon::bench {
namespace {

constexpr uint32_t kOverlay = 0x64400000;    // 100.64.0.0/10
constexpr uint32_t kEndpoints = 0xc6120000;  // 198.18.0.0/15
constexpr uint16_t kKeepalive = 25;

// splitmix64
uint64_t scramble(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

raw_prefix host(uint16_t family, std::span<const uint8_t> bytes) {
  raw_prefix p{.family = family, .bits = uint8_t(bytes.size() * 8), .address = {}};
  std::ranges::copy(bytes, p.address);
  return p;
}

Prefix prefix_of(const raw_prefix& p) {
  const auto length = p.family == AF_INET ? 4u : 16u;
  return *Prefix::make(*Address::from_bytes({p.address, length}), p.bits);
}

}  // namespace

raw_peer peer(uint32_t i, uint16_t port) {
  raw_peer p{};
  for (size_t word = 0; word < 4; ++word) {
    const uint64_t bytes = scramble(uint64_t{i} * 4 + word);
    std::memcpy(p.key + word * sizeof bytes, &bytes, sizeof bytes);
  }
  p.endpoint = {.sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr = {.s_addr = htonl(kEndpoints + i)},
                .sin_zero = {}};
  p.keepalive = kKeepalive;
  p.ips = 2;
  p.ip[0] = host(AF_INET, Address::v4(kOverlay + 1 + i).bytes());
  const uint8_t v6[16] = {0xfd,
                          0,
                          0x64,
                          0,
                          0,
                          0,
                          0,
                          0,
                          0,
                          0,
                          0,
                          0,
                          uint8_t(i >> 24),
                          uint8_t(i >> 16),
                          uint8_t(i >> 8),
                          uint8_t(i)};
  p.ip[1] = host(AF_INET6, v6);
  return p;
}

std::vector<raw_peer> peers(uint32_t n) {
  std::vector<raw_peer> all;
  all.reserve(n);
  for (uint32_t i = 0; i < n; ++i) all.push_back(peer(i));
  return all;
}

PeerChange change_of(const raw_peer& p, PeerChange::Kind kind) {
  PeerChange c{.public_key = *Key::from_bytes(p.key), .kind = kind};
  if (kind == PeerChange::Kind::remove) return c;
  c.endpoint =
      *from_sockaddr(reinterpret_cast<const sockaddr*>(&p.endpoint), sizeof p.endpoint);
  c.keepalive = p.keepalive;
  c.allowed_ips = std::vector{prefix_of(p.ip[0]), prefix_of(p.ip[1])};
  return c;
}

DeviceChange change_of(std::span<const raw_peer> peers, PeerChange::Kind kind) {
  DeviceChange c;
  c.peers.reserve(peers.size());
  for (const auto& p : peers) c.peers.push_back(change_of(p, kind));
  return c;
}

std::string key_text(const raw_peer& p) { return base64_encode(p.key); }

std::string endpoint_text(const raw_peer& p) {
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&p.endpoint), sizeof p.endpoint)
      ->text();
}

std::string allowed_ips_text(const raw_peer& p) {
  return prefix_of(p.ip[0]).text() + "," + prefix_of(p.ip[1]).text();
}

std::string config_of(std::span<const raw_peer> peers, const std::string& private_key) {
  std::string text = "[Interface]\n";
  if (!private_key.empty()) text += "PrivateKey = " + private_key + "\n";
  for (const auto& p : peers)
    fmt::format_to(std::back_inserter(text),
                   "[Peer]\nPublicKey = {}\nAllowedIPs = {}\nEndpoint = {}\n"
                   "PersistentKeepalive = {}\n",
                   key_text(p), allowed_ips_text(p), endpoint_text(p), p.keepalive);
  return text;
}

std::vector<raw_prefix> routes(uint32_t n) {
  std::vector<raw_prefix> all;
  for (uint32_t i = 0; i < n; ++i) {
    raw_prefix p = host(AF_INET, Address::v4(0x0a000000 + (i << 8)).bytes());
    p.bits = 24;
    all.push_back(p);
  }
  return all;
}

std::vector<netlink::RouteChange> changes_of(std::span<const raw_prefix> to,
                                             IfIndex device) {
  std::vector<netlink::RouteChange> all;
  all.reserve(to.size());
  for (const auto& p : to)
    all.push_back({.route = {.destination = prefix_of(p),
                             .table = kTable,
                             .device = device,
                             .protocol = kRouteProtocol}});
  return all;
}

std::string batch_of(std::span<const raw_prefix> to, const std::string& device) {
  std::string text;
  for (const auto& p : to)
    fmt::format_to(std::back_inserter(text),
                   "route replace {} dev {} table {} proto {} scope link\n",
                   prefix_of(p).text(), device, kTable, kRouteProtocol);
  return text;
}

SecretKey private_key() {
  std::vector<uint8_t> bytes(kKeyBytes, 7);
  auto key = *SecretKey::from_bytes(bytes);
  key.clamp();
  return key;
}

}  // namespace wigeon::bench
