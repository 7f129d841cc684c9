// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/host_domains.hh"

#include <map>

namespace wigeon {

HostDomains host_domains(const Config& config, const NetworkMap& map,
                         const std::vector<ZoneData>& zones) {
  HostDomains result;
  if (!map.dns.service_enable) return result;
  std::map<std::string, bool> domains;  // with whether they complete short names
  const auto add = [&](const std::string& name, bool search) {
    if (!name.empty()) domains[name] |= search && config.dns.search_domains;
  };
  for (const auto& z : zones) add(z.domain, !z.search_disabled);
  for (const auto& g : map.dns.groups) {
    if (g.servers.empty()) continue;
    result.all_names |= g.primary;
    for (const auto& d : g.domains) add(d.text(), g.search_domains_enabled);
  }
  for (const auto& [name, search] : domains) result.domains.push_back({name, search});
  return result;
}

}  // namespace wigeon
