// SPDX-License-Identifier: GPL-2.0-or-later
// The zones our resolver serves: one for each domain that peers' names are in, and the
// map's custom zones. Reverse zones are made from these by the resolver.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/model/config.hh"
#include "agent/model/network_map.hh"

namespace wigeon {

inline constexpr uint32_t kPeerTtl = 300;  // seconds, of peers' names

struct ZoneRecord {
  std::string name{};  // whole, without the final dot
  uint16_t type = 0;   // RR TYPE
  uint32_t ttl = 0;
  std::string rdata{};  // presentation format

  auto operator<=>(const ZoneRecord&) const = default;
};

struct ZoneData {
  std::string domain{};
  std::vector<ZoneRecord> records{};  // sorted
  bool search_disabled = false;
  bool non_authoritative = false;  // a name it lacks may be asked elsewhere

  friend bool operator==(const ZoneData&, const ZoneData&) = default;
};

// Sorted by domain. Where a custom zone has records for a name, those stand and the
// peer's generated ones are left out.
std::vector<ZoneData> dns_zones(const Config& config, const NetworkMap& map);

}  // namespace wigeon
