// SPDX-License-Identifier: GPL-2.0-or-later
// What our one nftables table shall do, as a value; its text is nft_ruleset.hh's.
//
//   every host      overlay addresses that arrive elsewhere than on our link are dropped;
//                   what our link brings is forwarded only where a route of ours leads
//   full tunnel     replies to connections from elsewhere leave by where they came in,
//                   those of this host and those it forwards
//   routing peer    own routes are open, masqueraded each as the map says; MSS clamp
//   forwarding      ports of this host lead to another one
//
// The forward chain judges what is asked for (the original direction of a connection)
// packet by packet, so that a route taken away also ends what runs over it; answers pass
// with their connection. Packets to an own address that somebody translated (a port that
// Docker publishes) pass too: they are for this host, whose filter on the link has seen
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/marks.hh"
#include "agent/model/config.hh"
#include "agent/model/network_map.hh"
#include "agent/model/state.hh"
#include "agent/model/validate.hh"

namespace wigeon {

inline constexpr size_t kMaxForwardings = 1'000;
// Ports that change their number, of all rules: each one is an element of a map.
inline constexpr size_t kMaxShiftedPorts = 8'192;

struct ReplyMark {
  uint32_t mark = 0, mask = 0;
  friend bool operator==(const ReplyMark&, const ReplyMark&) = default;
};

struct RoutedNetwork {
  Prefix network{};
  bool masquerade = false;
  friend bool operator==(const RoutedNetwork&, const RoutedNetwork&) = default;
};

// Ports of any address of this host that lead to translated_address, the n-th to the
// n-th, for packets that come elsewhere than on our link (NetBird's ingress peer).
struct Dnat {
  Protocol protocol = Protocol::tcp;  // tcp or udp
  PortRange destination{};
  Address translated_address{};
  PortRange translated_port{};  // as long as destination
  friend bool operator==(const Dnat&, const Dnat&) = default;
};

// "tcp" or "udp", the two that have ports.
constexpr std::string_view port_protocol(Protocol p) {
  return p == Protocol::udp ? "udp" : "tcp";
}

struct NftTable {
  std::string name = kNftTable;
  std::string link{};
  std::vector<Prefix> overlay{};      // sources that belong on our link
  std::vector<Address> own{};         // our addresses in it
  std::vector<Prefix> dns_clients{};  // may ask port 53 of our addresses from elsewhere
  std::optional<ReplyMark> reply_mark{};
  std::vector<RoutedNetwork> routed{};  // sorted by network, each once
  std::vector<Dnat> dnat{};             // no port twice
  // Interfaces that forward only because of us: to our link, and nowhere else.
  std::vector<std::string> opened_v4{}, opened_v6{};
  bool opened_all_v6 = false;  // every interface is one

  // Nothing to do: there shall be no table.
  [[nodiscard]] bool empty() const;
  friend bool operator==(const NftTable&, const NftTable&) = default;
};

struct NftPlan {
  NftTable table{};
  std::vector<Refusal> refusals{};  // forwarding rules left out; the first kMaxRefusals
};

// From the sysctls we set, on a host that was no router before.
void keep_to_link(const std::vector<Sysctl>& sysctls, const HostView& host, NftTable& t);

enum class FullTunnel : uint8_t { off, on };

// own: this host's key. map and accepted are of one verdict.
NftPlan nft_table(const Config& config, const NetworkMap& map, const Key& own,
                  const Accepted& accepted, FullTunnel full_tunnel);

}  // namespace wigeon
