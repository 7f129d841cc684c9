// SPDX-License-Identifier: GPL-2.0-or-later
// What is wanted and what is there, as plain values that compare. plan() in agent/core is
// the only place that looks at both.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/network.hh"
#include "agent/base/tunnel.hh"

namespace wigeon {

// A value below /proc/sys. The key is a path ("net/ipv4/conf/eth0.100/forwarding"), so
// that dots in interface names stay apart from separators.
struct Sysctl {
  std::string key{};
  std::string value{};

  auto operator<=>(const Sysctl&) const = default;
};

// Everything this host shall have. Lists are sorted and free of duplicates where nothing
// else is said.
struct Desired {
  bool up = true;  // false: nothing of ours is left on the host
  std::string link = "wt0";
  std::string link_kind = "wireguard";  // or "tun": wireguard-go's
  uint32_t mtu = 1280;
  SecretKey private_key{};
  uint16_t listen_port = 0;
  uint32_t fwmark = 0;
  std::vector<InterfaceAddress> addresses{};
  std::vector<Peer> peers{};  // by public key; endpoint: where to try, resolved
  // Peers whose endpoint is on trial: it is not set again when the session is lost.
  std::vector<Key> steered{};
  // A unicast route whose device is IfIndex::none goes to our link.
  std::vector<Route> routes{};
  std::vector<Rule> rules{};
  // In order of their keys, which is not the one to write them in: written_before() is.
  std::vector<Sysctl> sysctls{};
  std::string nft{};                 // the text of our nftables table; empty: none
  std::vector<std::string> notes{};  // what of it could not be had; sentences for status
};

// A peer of the device, as much as tells whether it is as wanted: 80 bytes, because there
// may be many. digest() in agent/base/digest.hh stands for the values.
struct KnownPeer {
  Key public_key{};
  uint64_t preshared_key = 0;  // 0: none
  uint64_t allowed_ips = 0;    // 0: none
  uint64_t endpoint = 0;       // as last seen; 0: none
  // The endpoint last set by us; 0: none. A peer that roamed is not a difference.
  uint64_t endpoint_set = 0;
  uint16_t keepalive = 0;
  bool session = false;  // when last looked at

  friend bool operator==(const KnownPeer&, const KnownPeer&) = default;
};

struct KnownDevice {
  SecretKey private_key{};
  uint16_t listen_port = 0;
  uint32_t fwmark = 0;
  std::vector<KnownPeer> peers{};  // sorted by public key

  friend bool operator==(const KnownDevice&, const KnownDevice&) = default;
};

uint64_t digest(const SecretKey& key);                     // 0 when it is zero
uint64_t digest(const std::vector<Prefix>& allowed_ips);   // 0 when empty
uint64_t digest(const std::optional<Endpoint>& endpoint);  // 0 when there is none
KnownDevice known(const ObservedDevice& device,
                  std::chrono::system_clock::time_point now);

// A sysctl that we changed, or want to.
struct KnownSysctl {
  std::string key{};
  std::optional<std::string> value{};     // now; none: there is no such file
  std::optional<std::string> original{};  // before we wrote it; none: we did not
  std::string ours{};                     // what we wrote
  std::vector<Sysctl> along{};  // others that a write changes as well, as they are now
};

// What the kernel has, of ours. Links are found by name, routes and rules by
// kRouteProtocol.
struct Observed {
  std::optional<Link> link{};  // whatever bears our link's name
  bool link_is_ours =
      false;             // by kind, alias and journal; a foreign link is never touched
  KnownDevice device{};  // meaningful when the link is ours
  std::vector<InterfaceAddress> addresses{};  // on our link, without fe80::/10
  std::vector<Route> routes{};                // device none where it is our link
  std::vector<Rule> rules{};
  std::vector<KnownSysctl> sysctls{};
  // digest() of the text of our nftables table; 0: it is there and not as we made it;
  // none: there is no such table.
  std::optional<uint64_t> nft{};
};

// Parts of Observed: what an event may have changed.
enum class Part : unsigned {
  link = 1,  // and with it whatever is on it, when it is another one
  device = 2,
  addresses = 4,
  routes = 8,
  rules = 16,
  sysctls = 32,
  nft = 64,
};
class Parts {
 public:
  constexpr Parts() = default;
  constexpr Parts(Part p) : bits_(static_cast<unsigned>(p)) {}  // NOLINT: a set of one
  static constexpr Parts all() { return Parts(127u); }

  [[nodiscard]] constexpr bool has(Part p) const {
    return (bits_ & static_cast<unsigned>(p)) != 0;
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  friend constexpr Parts operator|(Parts a, Parts b) { return Parts(a.bits_ | b.bits_); }
  constexpr Parts& operator|=(Parts p) { return *this = *this | p; }
  friend constexpr bool operator==(Parts, Parts) = default;

 private:
  constexpr explicit Parts(unsigned bits) : bits_(bits) {}
  unsigned bits_ = 0;
};
constexpr Parts operator|(Part a, Part b) { return Parts(a) | Parts(b); }

// The rest of the host: to judge a network map against (SR-35 … SR-37), and to route
// around it.
struct HostView {
  std::vector<Link> links{};
  std::vector<LinkAddress> addresses{};
  // Of the main table, ours left out: those that matter (model/host_routes.hh).
  std::vector<Route> routes{};
  bool routes_cut = false;  // there are more than kMaxHostRoutes of them
  // In the table of the full tunnel: the first route of others, how many more of theirs
  // there are, and whether there are any of ours.
  std::optional<Route> table_foreign{};
  size_t table_foreign_more = 0;
  bool table_held = false;
  std::vector<Rule> rules{};           // policy rules of others, by family and priority
  std::vector<Route> other_tunnels{};  // default routes of the tables that those name
  std::vector<Address> dns_servers{};  // of the host's own resolv.conf
  bool ipv6 = true;        // a new link gets it; false: off by disable_ipv6, or not there
  bool ipv6_stack = true;  // its routes and rules can be set, also when addresses cannot
  bool forwards_v4 = false, forwards_v6 = false;  // a router, and not because of us
  bool force_forwarding = false;           // IPv6 forwards by interface (Linux 6.17)
  std::map<IfIndex, uint8_t> accept_ra{};  // of links with IPv6
};

}  // namespace wigeon
