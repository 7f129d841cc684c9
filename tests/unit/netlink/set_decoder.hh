// SPDX-License-Identifier: GPL-2.0-or-later
// Reads WG_CMD_SET_DEVICE messages as the kernel would, and checks what the kernel does
// not: that what replaces is said once.
#pragma once

#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <catch2/catch.hpp>

#include "netlink/wireguard.hh"

namespace wigeon::netlink {

struct DecodedSet {
  uint32_t link = 0;
  DeviceChange change{};
  size_t continued = 0;  // peers that a message took up from the one before
};

inline Prefix decode_allowed_ip(Bytes attrs) {
  uint16_t family = 0;
  uint8_t bits = 0;
  Address address;
  REQUIRE(for_each_attr(attrs, [&](const Attr& a) {
    if (a.type == WGALLOWEDIP_A_FAMILY) return a.read(family);
    if (a.type == WGALLOWEDIP_A_CIDR_MASK) return a.read(bits);
    return a.type == WGALLOWEDIP_A_IPADDR && a.read(address);
  }));
  REQUIRE(family == static_cast<uint16_t>(address.family()));
  return *Prefix::make(address, bits);
}

inline void decode_set_peer(Bytes attrs, bool first_in_message, DecodedSet& to) {
  PeerChange p;
  uint32_t flags = 0;
  bool has_settings = false;
  std::vector<Prefix> ips;
  REQUIRE(for_each_attr(attrs, [&](const Attr& a) {
    switch (a.type) {
      case WGPEER_A_PUBLIC_KEY:
        return a.read(p.public_key);
      case WGPEER_A_FLAGS:
        return a.read(flags);
      case WGPEER_A_PRESHARED_KEY:
        has_settings = true;
        return a.read(p.preshared_key.emplace());
      case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
        has_settings = true;
        return a.read(p.keepalive.emplace());
      case WGPEER_A_ENDPOINT: {
        has_settings = true;
        sockaddr_storage storage{};
        std::ranges::copy(a.payload, reinterpret_cast<uint8_t*>(&storage));
        p.endpoint = *from_sockaddr(reinterpret_cast<sockaddr*>(&storage),
                                    static_cast<socklen_t>(a.payload.size()));
        return true;
      }
      case WGPEER_A_ALLOWEDIPS:
        return for_each_attr(a.payload, [&](const Attr& ip) {
          ips.push_back(decode_allowed_ip(ip.payload));
          return true;
        });
      default:
        return false;
    }
  }));
  p.kind = flags & WGPEER_F_REMOVE_ME     ? PeerChange::Kind::remove
           : flags & WGPEER_F_UPDATE_ONLY ? PeerChange::Kind::update
                                          : PeerChange::Kind::add;
  auto& peers = to.change.peers;
  if (!peers.empty() && peers.back().public_key == p.public_key) {
    REQUIRE(first_in_message);
    REQUIRE_FALSE(has_settings);
    REQUIRE_FALSE(flags & WGPEER_F_REPLACE_ALLOWEDIPS);
    REQUIRE(p.kind == peers.back().kind);
    REQUIRE_FALSE(ips.empty());
    std::ranges::copy(ips, std::back_inserter(*peers.back().allowed_ips));
    ++to.continued;
    return;
  }
  if (flags & WGPEER_F_REPLACE_ALLOWEDIPS) p.allowed_ips = ips;
  REQUIRE((p.allowed_ips || ips.empty()));
  peers.push_back(std::move(p));
}

inline DecodedSet decode_set(const std::vector<Msg>& messages) {
  DecodedSet to;
  for (size_t i = 0; i < messages.size(); ++i) {
    const bool whole = for_each_message(bytes(messages[i].get()), [&](const Message& m) {
      genlmsghdr h;
      Bytes attrs;
      REQUIRE(m.split(h, attrs));
      REQUIRE(h.cmd == WG_CMD_SET_DEVICE);
      return for_each_attr(attrs, [&](const Attr& a) {
        if (a.type == WGDEVICE_A_IFINDEX) return a.read(to.link);
        if (a.type == WGDEVICE_A_PEERS) {
          size_t n = 0;
          return for_each_attr(a.payload, [&](const Attr& p) {
            decode_set_peer(p.payload, n++ == 0, to);
            return true;
          });
        }
        REQUIRE(i == 0);  // the rest is said once
        uint32_t flags = 0;
        switch (a.type) {
          case WGDEVICE_A_FLAGS:
            to.change.replace_peers = a.read(flags) && (flags & WGDEVICE_F_REPLACE_PEERS);
            return true;
          case WGDEVICE_A_PRIVATE_KEY:
            return a.read(to.change.private_key.emplace());
          case WGDEVICE_A_LISTEN_PORT:
            return a.read(to.change.listen_port.emplace());
          case WGDEVICE_A_FWMARK:
            return a.read(to.change.fwmark.emplace());
          default:
            return false;
        }
      });
    });
    REQUIRE(whole);
  }
  return to;
}

}  // namespace wigeon::netlink
