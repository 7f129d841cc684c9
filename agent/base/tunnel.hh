// SPDX-License-Identifier: GPL-2.0-or-later
// A WireGuard device as values: what is wanted, what the kernel says, and one change
// between them. The same words serve generic netlink (wireguard.h) and the cross-platform
// UAPI.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/key.hh"

namespace wigeon {

// allowed_ips is sorted and free of duplicates.
struct Peer {
  Key public_key{};
  SecretKey preshared_key{};  // all zero: none
  std::optional<Endpoint> endpoint{};
  uint16_t keepalive = 0;  // seconds; 0 is off
  std::vector<Prefix> allowed_ips{};

  friend bool operator==(const Peer&, const Peer&) = default;
};

struct PeerStats {
  std::chrono::system_clock::time_point last_handshake{};  // epoch: never
  uint64_t rx_bytes = 0;
  uint64_t tx_bytes = 0;
};

struct ObservedPeer {
  Peer peer{};
  PeerStats stats{};
};

struct ObservedDevice {
  SecretKey private_key{};
  Key public_key{};
  uint16_t listen_port = 0;
  uint32_t fwmark = 0;
  std::vector<ObservedPeer> peers{};  // sorted by public key
};

// One peer's change. Fields left empty stay as they are in the device.
struct PeerChange {
  Key public_key{};
  enum class Kind {
    add,     // create it, or take it as it is
    update,  // only when it exists (WGPEER_F_UPDATE_ONLY)
    remove,
  } kind = Kind::add;
  std::optional<SecretKey> preshared_key{};
  std::optional<Endpoint> endpoint{};
  std::optional<uint16_t> keepalive{};
  std::optional<std::vector<Prefix>>
      allowed_ips{};  // the whole new list, replacing the old

  friend bool operator==(const PeerChange&, const PeerChange&) = default;
};

// Device-level change, and peers' changes with it.
struct DeviceChange {
  std::optional<SecretKey> private_key{};
  std::optional<uint16_t> listen_port{};
  std::optional<uint32_t> fwmark{};
  bool replace_peers = false;  // drop every peer that is not in this change
  std::vector<PeerChange> peers{};

  [[nodiscard]] bool empty() const {
    return !private_key && !listen_port && !fwmark && !replace_peers && peers.empty();
  }
  friend bool operator==(const DeviceChange&, const DeviceChange&) = default;
};

// A peer whose last handshake is younger than this has a session (WireGuard's
// REJECT_AFTER_TIME).
inline constexpr std::chrono::seconds kSessionLifetime{180};

// The epoch is "never", also on a machine whose clock has not been set yet.
inline bool has_session(const PeerStats& stats,
                        std::chrono::system_clock::time_point now) {
  return stats.last_handshake != std::chrono::system_clock::time_point{} &&
         now - stats.last_handshake < kSessionLifetime;
}

}  // namespace wigeon
