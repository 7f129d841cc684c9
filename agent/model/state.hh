// SPDX-License-Identifier: GPL-2.0-or-later
// What is wanted and what is there, as plain values that compare. plan() in agent/core is
// the only place that looks at both.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/network.hh"
#include "agent/base/tunnel.hh"

namespace wigeon {

// Everything this host shall have. All lists are sorted and free of duplicates.
struct Desired {
  bool up = true;  // false: nothing of ours is left on the host
  std::string link = "wt0";
  std::string link_kind = "wireguard";  // or "tun": wireguard-go's
  uint32_t mtu = 1280;
  SecretKey private_key{};
  uint16_t listen_port = 0;
  uint32_t fwmark = 0;
  std::vector<InterfaceAddress> addresses{};
  std::vector<Peer> peers{};  // by public key; endpoint: what the map says, resolved
  // A unicast route whose device is IfIndex::none goes to our link.
  std::vector<Route> routes{};
  std::vector<Rule> rules{};
};

// What the kernel has, of ours. Links are found by name, routes and rules by
// kRouteProtocol.
struct Observed {
  std::optional<Link> link{};  // whatever bears our link's name
  bool link_is_ours =
      false;                // by kind, alias and journal; a foreign link is never touched
  ObservedDevice device{};  // meaningful when the link is ours
  std::vector<InterfaceAddress> addresses{};  // on our link, without fe80::/10
  std::vector<Route> routes{};                // device none where it is our link
  std::vector<Rule> rules{};
  // The endpoint last set by us for each peer: a peer that roamed is not a difference.
  std::map<Key, Endpoint> endpoints_set{};
};

// The rest of the host, to judge a network map against (SR-35 … SR-37).
struct HostView {
  std::vector<Link> links{};
  std::vector<LinkAddress> addresses{};
  std::vector<Route> routes{};         // main table, ours left out
  std::vector<Address> dns_servers{};  // of the host's own resolv.conf
};

}  // namespace wigeon
