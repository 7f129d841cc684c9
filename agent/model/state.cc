// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/state.hh"

#include "agent/base/digest.hh"

namespace wigeon {
namespace {

void append(std::vector<uint8_t>& to, const Address& a) {
  to.push_back(a.is_v4() ? 4 : 6);
  to.insert(to.end(), a.bytes().begin(), a.bytes().end());
}

}  // namespace

uint64_t digest(const SecretKey& key) { return key.is_zero() ? 0 : digest(key.bytes()); }

uint64_t digest(const std::vector<Prefix>& allowed_ips) {
  if (allowed_ips.empty()) return 0;
  std::vector<uint8_t> bytes;
  bytes.reserve(allowed_ips.size() * 18);
  for (const auto& p : allowed_ips) {
    append(bytes, p.address());
    bytes.push_back(static_cast<uint8_t>(p.bits()));
  }
  return digest(bytes);
}

uint64_t digest(const std::optional<Endpoint>& endpoint) {
  if (!endpoint) return 0;
  std::vector<uint8_t> bytes{static_cast<uint8_t>(endpoint->port >> 8),
                             static_cast<uint8_t>(endpoint->port & 0xff)};
  append(bytes, endpoint->address);
  return digest(bytes);
}

KnownDevice known(const ObservedDevice& device,
                  std::chrono::system_clock::time_point now) {
  KnownDevice k{.private_key = device.private_key,
                .listen_port = device.listen_port,
                .fwmark = device.fwmark};
  k.peers.reserve(device.peers.size());
  for (const auto& p : device.peers)
    k.peers.push_back({.public_key = p.peer.public_key,
                       .preshared_key = digest(p.peer.preshared_key),
                       .allowed_ips = digest(p.peer.allowed_ips),
                       .endpoint = digest(p.peer.endpoint),
                       .keepalive = p.peer.keepalive,
                       .session = has_session(p.stats, now)});
  return k;
}

}  // namespace wigeon
