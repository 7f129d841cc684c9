// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/host_domains.hh"

#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

constexpr char kPeers[] =
    R"("peerConfig":{"address":"100.64.0.1/16","fqdn":"own.example"})";

std::string domains(std::string_view dns_config, bool search = false) {
  Config c;
  c.dns.search_domains = search;
  const auto map = decoded("{" + std::string(kPeers) + R"(,"DNSConfig":{)" +
                           std::string(dns_config) + "}}");
  const auto found = host_domains(c, map, dns_zones(c, map));
  std::string out = found.all_names ? "everything\n" : "";
  for (const auto& d : found.domains) out += d.name + (d.is_search ? " search\n" : "\n");
  return out;
}

constexpr char kAll[] = R"("ServiceEnable":true,
  "NameServerGroups":[
    {"NameServers":[{"IP":"192.0.2.1","NSType":1,"Port":53}],
     "Domains":["Corp.test","example"],"SearchDomainsEnabled":true},
    {"NameServers":[],"Primary":true},
    {"NameServers":[{"IP":"192.0.2.2","NSType":1,"Port":53}],"Domains":["lab.test"]}],
  "CustomZones":[{"Domain":"hidden.test","SearchDomainDisabled":true,"Records":[]},
                 {"Domain":"svc.test","Records":[]}])";

}  // namespace

TEST_CASE("the host asks us for zones and match domains, and short names stay its own") {
  CHECK(domains(kAll) == "corp.test\nexample\nhidden.test\nlab.test\nsvc.test\n");
}

TEST_CASE("domains complete short names where map and settings agree") {
  CHECK(domains(kAll, true) ==
        "corp.test search\nexample search\nhidden.test\nlab.test\nsvc.test search\n");
}

TEST_CASE("a primary group with servers makes every name ours") {
  CHECK(domains(R"("ServiceEnable":true,"NameServerGroups":[
    {"NameServers":[{"IP":"192.0.2.1","NSType":1,"Port":53}],"Primary":true}])") ==
        "everything\nexample\n");
}

TEST_CASE("a map whose DNS is not enabled asks nothing of the host") {
  CHECK(domains(R"("NameServerGroups":[])").empty());
}
