// SPDX-License-Identifier: GPL-2.0-or-later
// Changes as a generator invents them, the same ones on every run.
#pragma once

#include <algorithm>
#include <random>

#include "agent/base/sort_unique.hh"
#include "agent/base/tunnel.hh"

namespace wigeon {

class RandomChanges {
 public:
  explicit RandomChanges(unsigned seed) : random_(seed) {}

  DeviceChange next(size_t max_peers, size_t max_ips) {
    DeviceChange c{.replace_peers = coin()};
    if (coin()) c.private_key = *SecretKey::from_bytes(bytes(32));
    if (coin()) c.listen_port = number<uint16_t>();
    if (coin()) c.fwmark = number<uint32_t>();
    for (size_t n = below(max_peers + 1); n > 0; --n) c.peers.push_back(peer(max_ips));
    return c;
  }

  PeerChange peer(size_t max_ips) {
    PeerChange p{.public_key = *Key::from_bytes(bytes(32))};
    if (below(4) == 0) {
      p.kind = PeerChange::Kind::remove;
      return p;
    }
    p.kind = coin() ? PeerChange::Kind::add : PeerChange::Kind::update;
    if (coin()) p.preshared_key = *SecretKey::from_bytes(bytes(32));
    if (coin()) p.endpoint = Endpoint{address(), static_cast<uint16_t>(1 + below(65535))};
    if (coin()) p.keepalive = number<uint16_t>();
    if (!coin()) return p;
    auto& ips = p.allowed_ips.emplace();
    for (size_t n = below(max_ips + 1); n > 0; --n) {
      const auto a = address();
      ips.push_back(
          *Prefix::make(a, static_cast<int>(below(static_cast<size_t>(a.bits()) + 1))));
    }
    sort_unique(ips);
    return p;
  }

 private:
  bool coin() { return below(2) == 0; }
  size_t below(size_t n) {
    return std::uniform_int_distribution<size_t>(0, n - 1)(random_);
  }
  template <class T>
  T number() {
    return std::uniform_int_distribution<T>()(random_);
  }
  std::vector<uint8_t> bytes(size_t n) {
    std::vector<uint8_t> b(n);
    std::ranges::generate(b, [&] { return static_cast<uint8_t>(below(256)); });
    return b;
  }
  Address address() { return *Address::from_bytes(bytes(coin() ? 4 : 16)); }

  std::mt19937 random_;
};

// What a device that did not exist before holds after this change; null where the change
// is not one that makes peers.
inline std::vector<Peer> peers_of(const DeviceChange& c) {
  std::vector<Peer> peers;
  for (const auto& p : c.peers)
    peers.push_back({.public_key = p.public_key,
                     .preshared_key = p.preshared_key.value_or(SecretKey{}),
                     .endpoint = p.endpoint,
                     .keepalive = p.keepalive.value_or(0),
                     .allowed_ips = p.allowed_ips.value_or(std::vector<Prefix>{})});
  std::ranges::sort(peers, {}, &Peer::public_key);
  return peers;
}

}  // namespace wigeon
