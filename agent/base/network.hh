// SPDX-License-Identifier: GPL-2.0-or-later
// Links, routes and rules as rtnetlink(7) knows them, as plain values.
#pragma once

#include <linux/rtnetlink.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/ip.hh"

namespace wigeon {

enum class IfIndex : int { none = 0 };

struct Link {
  IfIndex index = IfIndex::none;
  std::string name{};
  std::string kind{};   // IFLA_INFO_KIND: "wireguard", "tun", …; empty for hardware
  std::string alias{};  // IFLA_IFALIAS
  uint32_t mtu = 0;
  bool up = false;        // IFF_UP: set up by somebody
  bool loopback = false;  // IFF_LOOPBACK

  friend bool operator==(const Link&, const Link&) = default;
};

// An address on a link. Link-local IPv6 addresses are listed like any other.
struct LinkAddress {
  IfIndex link = IfIndex::none;
  InterfaceAddress address{};

  auto operator<=>(const LinkAddress&) const = default;
};

// Multipath routes are listed once for each next hop when read; we never write them.
struct Route {
  enum class Type : uint8_t {
    unicast = RTN_UNICAST,
    local = RTN_LOCAL,
    blackhole = RTN_BLACKHOLE,
    unreachable = RTN_UNREACHABLE,
    prohibit = RTN_PROHIBIT,
    throw_ = RTN_THROW,
    other = 255,
  };
  Prefix destination{};
  uint32_t table = RT_TABLE_MAIN;
  uint32_t metric = 0;
  Type type = Type::unicast;
  IfIndex device = IfIndex::none;
  std::optional<Address> gateway{};
  uint8_t protocol = RTPROT_UNSPEC;

  auto operator<=>(const Route&) const = default;
};

// First to last, both included; the kernel takes 1-65534.
struct PortSpan {
  uint16_t first = 0, last = 0;

  auto operator<=>(const PortSpan&) const = default;
};

struct Rule {
  Family family = Family::v4;
  uint32_t priority = 0;
  std::optional<uint32_t> mark{};
  std::optional<uint32_t> mark_mask{};  // the kernel's default is all ones
  bool invert = false;                  // FIB_RULE_INVERT: "not"
  std::optional<Prefix> from{};
  std::optional<Prefix> to{};
  std::string input{};      // "iif"
  std::string output{};     // "oif": for sockets that are bound to it
  uint8_t ip_protocol = 0;  // IPPROTO_…; 0 is any
  std::optional<PortSpan> source_ports{};
  std::optional<PortSpan> destination_ports{};
  bool l3mdev = false;  // the table of the packet's VRF; then table stays 0
  uint8_t action = 1;   // FR_ACT_TO_TBL
  uint32_t table = 0;
  std::optional<uint32_t> suppress_prefix_length{};
  uint8_t protocol = RTPROT_UNSPEC;

  auto operator<=>(const Rule&) const = default;
};

}  // namespace wigeon
