// SPDX-License-Identifier: GPL-2.0-or-later
// What NetworkManager says about DNS as values, and a connection's settings rewritten
// (nm-settings-dbus(5)). All other settings are passed on as they came, unread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dns/os/bus_value.hh"
#include "dns/os/manager.hh"

namespace wigeon::dns::os {

inline constexpr size_t kMaxNmGroups = 64, kMaxNmKeys = 256;  // of a connection

// The DNS part of one address family. Servers as text: newer versions also know URIs.
struct NmDns {
  std::vector<std::string> servers{};
  std::vector<std::string> search{};  // "~corp.example" only routes
  int32_t priority = 0;               // 0: the default

  friend bool operator==(const NmDns&, const NmDns&) = default;
};

// A device's applied connection.
struct NmApplied {
  NmDns v4{}, v6{};
  bool v4_takes_dns = false, v6_takes_dns = false;  // by its method
  // To write: ipv6.method "ignore". With any other one, NetworkManager 1.42 takes IPv6
  // addresses and routes off the link at each Reapply; with it only at the first.
  bool v6_ignored = false;
  uint64_t version = 0;

  friend bool operator==(const NmApplied&, const NmApplied&) = default;
};

struct NmEntry {
  std::vector<std::string> servers{}, domains{};
  std::string interface {};
  int32_t priority = 0;
  bool vpn = false;

  friend bool operator==(const NmEntry&, const NmEntry&) = default;
};

// The object DnsManager.
struct NmDnsManager {
  std::string mode{};        // "default", "dnsmasq", "systemd-resolved", "none", …
  std::string rc_manager{};  // "symlink", "resolvconf", "unmanaged", …
  std::vector<NmEntry> entries{};

  friend bool operator==(const NmDnsManager&, const NmDnsManager&) = default;
};

// a{sa{sv}}t of GetAppliedConnection.
Result<NmApplied> read_nm_applied(sd_bus_message* m);
// a{sv} of GetAll.
Result<NmDnsManager> read_nm_dns_manager(sd_bus_message* m);

// "1.26.4" is 1 and 26; nothing for what cannot be read.
std::optional<std::pair<int, int>> nm_version(std::string_view text);

// Names below domains of ours come to us and others do not.
bool nm_splits(std::string_view mode);

// What the connection shall say. `is` tells which families take servers; IPv6 is used
// only when there is no IPv4.
NmApplied nm_wish(const HostDns& dns, const NmApplied& is, bool splits);
// The DNS parts of a connection are as wished.
bool nm_says(const NmApplied& is, const NmApplied& wish);

// Why names do not come to us although the settings are taken; empty: they do.
std::string nm_obstacle(const NmDnsManager& manager, const NmApplied& wish,
                        const std::string& interface);
// Servers of other devices, those of VPNs only when there are no others.
struct NmOriginals {
  std::vector<Endpoint> servers{};
  size_t left_out = 0;  // not an address, or of an interface that is not there
};
NmOriginals nm_originals(const NmDnsManager& manager, const std::string& interface,
                         const std::vector<Address>& own);

// The settings of `applied`, a reply of GetAppliedConnection, with the DNS part of wish:
// a{sa{sv}}. Left out besides: what NetworkManager deprecated (addresses, routes, which
// would win over what is newer), and the peers of WireGuard, of which it knows the keys
// only and would set the rest to nothing.
int put_nm_settings(sd_bus_message* m, sd_bus_message* applied, const NmApplied& wish);

// "networkManager NAME 4|PRIORITY|SERVERS|SEARCH 6|…": the DNS part as it was.
struct NmNote {
  std::string interface {};
  NmDns v4{}, v6{};

  [[nodiscard]] std::string text() const;
  static std::optional<NmNote> parse(std::string_view text);
  friend bool operator==(const NmNote&, const NmNote&) = default;
};

}  // namespace wigeon::dns::os
