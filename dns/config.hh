// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon tells the resolver to be, as plain values, and their binary form: it
// may hold 100,000 names and travels in a sealed memfd.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/result.hh"
#include "dns/name.hh"

namespace wigeon::dns {

struct RecordConfig {
  std::string name{};  // whole name, at or below its zone's domain
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string rdata{};  // master-file text

  friend bool operator==(const RecordConfig&, const RecordConfig&) = default;
};

struct ZoneConfig {
  std::string domain{};
  std::vector<RecordConfig> records{};
  bool non_authoritative = false;  // names that are not in it are asked upstream

  friend bool operator==(const ZoneConfig&, const ZoneConfig&) = default;
};

// A nameserver group: who is asked for its domains, or for everything else.
struct GroupConfig {
  std::vector<std::string> domains{};  // "corp.example", also for what is below it
  std::vector<Endpoint> servers{};     // in the order they are tried
  bool primary = false;                // for names that no domain of any group matches

  friend bool operator==(const GroupConfig&, const GroupConfig&) = default;
};

struct ResolverConfig {
  std::vector<ZoneConfig> zones{};
  std::vector<GroupConfig> groups{};
  std::vector<Endpoint> upstreams{};     // the host's original servers, in order
  std::vector<Address> own_addresses{};  // of the tunnel: may ask, are no upstream
  std::vector<Prefix> allow_from{};      // who may ask besides loopback and own addresses
  std::vector<Prefix> overlay{};         // their reverse zones are generated
  // Indexes of the interfaces that queries may come in by, besides loopback; empty: any.
  std::vector<uint32_t> interfaces{};
  uint32_t serve_stale = 0;  // seconds past their TTL; 0: never

  friend bool operator==(const ResolverConfig&, const ResolverConfig&) = default;
};

// Zones as they lie elsewhere, which must outlive them: in a configuration's bytes, or
// where the daemon has them. So 100,000 names need no strings of their own.
struct RecordView {
  std::string_view name{};
  std::string_view rdata{};
  uint32_t ttl = 0;
  uint16_t type = 0;
};

struct ZoneView {
  std::string_view domain{};
  std::vector<RecordView> records{};
  bool non_authoritative = false;
};

ZoneView view_of(const ZoneConfig& zone);
std::vector<ZoneView> views_of(const std::vector<ZoneConfig>& zones);

// A configuration, its zones being views into the bytes it was read from.
struct ConfigView {
  ResolverConfig rest{};
  std::vector<ZoneView> zones{};
};

inline constexpr size_t kMaxConfigBytes = 64u << 20;
inline constexpr size_t kMaxZones = 10'000;
inline constexpr size_t kMaxRecords = 500'000;  // of all zones together
inline constexpr size_t kMaxConfigText = 4096;  // a name or rdata
inline constexpr size_t kMaxUpstreams = 16;
inline constexpr size_t kMaxGroups = 1000;
inline constexpr size_t kMaxGroupServers = 16;
inline constexpr size_t kMaxGroupDomains = 20'000;  // of all groups together
inline constexpr size_t kMaxOwnAddresses = 256;
inline constexpr size_t kMaxPrefixes = 256;  // allow_from, overlay
inline constexpr size_t kMaxInterfaces = 16;

// E2BIG or EMSGSIZE, naming the quantity, when a limit is passed.
Result<std::vector<uint8_t>> encode_config(const ResolverConfig& config);
// With these zones instead of its own.
Result<std::vector<uint8_t>> encode_config(const ResolverConfig& config,
                                           const std::vector<ZoneView>& zones);
Result<ResolverConfig> decode_config(Bytes bytes);
Result<ConfigView> view_config(Bytes bytes);

}  // namespace wigeon::dns
