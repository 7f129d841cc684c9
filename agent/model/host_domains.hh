// SPDX-License-Identifier: GPL-2.0-or-later
// The names for which the host's own resolver is to ask ours. Reverse zones are not among
// them: they follow from the overlay's prefixes.
#pragma once

#include <string>
#include <vector>

#include "agent/model/config.hh"
#include "agent/model/network_map.hh"
#include "agent/model/zones.hh"

namespace wigeon {

struct MatchDomain {
  std::string name{};      // without the final dot
  bool is_search = false;  // short names are completed with it

  friend bool operator==(const MatchDomain&, const MatchDomain&) = default;
};

struct HostDomains {
  std::vector<MatchDomain> domains{};  // sorted by name, each once
  bool all_names = false;              // the map has a primary nameserver group
};

// Nothing when the map's DNSConfig is not enabled. A domain completes short names when
// the map says so and dns.searchDomains allows it.
HostDomains host_domains(const Config& config, const NetworkMap& map,
                         const std::vector<ZoneData>& zones);

}  // namespace wigeon
