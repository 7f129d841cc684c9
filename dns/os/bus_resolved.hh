// SPDX-License-Identifier: GPL-2.0-or-later
// What systemd-resolved says about a link and about itself, as values
// (org.freedesktop.resolve1(5)), and what is to be written so that it says what we want.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dns/os/bus_value.hh"
#include "dns/os/manager.hh"

namespace wigeon::dns::os {

// resolved refuses more (LINK_SEARCH_DOMAINS_MAX).
inline constexpr size_t kMaxLinkDomains = 256;

// A property that this version does not have is not there. Modes: "yes", "no", …
struct ResolvedLink {
  std::optional<std::vector<Endpoint>> servers{};
  std::optional<std::vector<HostDomain>> domains{};  // sorted by name
  std::optional<bool> default_route{};
  std::optional<std::string> dnssec{}, dns_over_tls{}, llmnr{}, mdns{};

  friend bool operator==(const ResolvedLink&, const ResolvedLink&) = default;
};

struct ResolvedServer {
  IfIndex link = IfIndex::none;  // none: of no link, but resolved.conf's
  Endpoint endpoint{};           // port 53 where none is said

  friend bool operator==(const ResolvedServer&, const ResolvedServer&) = default;
};

struct ResolvedManager {
  std::vector<ResolvedServer> servers{};
  std::vector<ResolvedServer> fallback{};  // asked when there is no other
  size_t without_link = 0;                 // left out: link-local, and of no link

  friend bool operator==(const ResolvedManager&, const ResolvedManager&) = default;
};

// Replies of Properties.GetAll.
Result<ResolvedLink> read_resolved_link(sd_bus_message* m);
Result<ResolvedManager> read_resolved_manager(sd_bus_message* m);

// What the link shall say. Domains beyond what resolved takes are left out: first those
// that only route and lie below another of ours, which does the same unless somebody
// else's link routes one between them; then the last ones.
struct ResolvedWish {
  ResolvedLink link{};
  size_t left_out = 0;  // domains that no other stands for
};
ResolvedWish resolved_wish(const HostDns& dns);

enum class ResolvedPart : uint8_t {
  llmnr,
  mdns,
  dnssec,
  dns_over_tls,
  default_route,
  domains,
  servers,  // the last: with it the link is asked, and the rest must hold by then
};
// What differs, in the order in which it is to be written.
std::vector<ResolvedPart> differing(const ResolvedLink& wanted, const ResolvedLink& is);
// Its name for people, and the method of the manager object that sets it.
std::string_view text(ResolvedPart part);
const char* method(ResolvedPart part);
// The arguments of that method.
int put(sd_bus_message* m, ResolvedPart part, IfIndex link, const ResolvedLink& wanted);
// The link does what we want without it.
bool dispensable(ResolvedPart part);

}  // namespace wigeon::dns::os
