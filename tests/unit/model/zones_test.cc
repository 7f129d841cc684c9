// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/zones.hh"

#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

std::string text(const std::vector<ZoneData>& zones) {
  std::string out;
  for (const auto& z : zones) {
    out += z.domain + (z.search_disabled ? " search-disabled" : "") +
           (z.non_authoritative ? " non-authoritative" : "") + "\n";
    for (const auto& r : z.records)
      out += "  " + r.name + " " + std::to_string(r.ttl) + " " + std::to_string(r.type) +
             " " + r.rdata + "\n";
  }
  return out;
}

std::string zones(std::string_view members, const Config& c = {}) {
  return text(dns_zones(
      c, decoded(R"({"peerConfig":{"address":"100.64.0.1/16","address_v6":"fd00:77::1/64",
                     "fqdn":"Own.example."},)" +
                 std::string(members) + "}")));
}

}  // namespace

TEST_CASE("every peer has its overlay addresses under its name, offline ones too") {
  const auto members =
      R"("remotePeers":[)" +
      peer(1, R"("100.64.0.2/32","fd00:77::2/128","192.0.2.7/32","10.0.0.0/8")",
           R"(,"fqdn":"a.example")") +
      "," + peer(2, R"("100.64.0.3/32")", R"(,"fqdn":"b.site.example")") + "," +
      peer(3, R"("100.64.0.4/32")") + R"(],"offlinePeers":[)" +
      peer(4, R"("100.64.0.5/32")", R"(,"fqdn":"gone.example")") + "]";
  CHECK(zones(members) ==
        "example\n"
        "  a.example 300 1 100.64.0.2\n"
        "  a.example 300 28 fd00:77::2\n"
        "  gone.example 300 1 100.64.0.5\n"
        "  own.example 300 1 100.64.0.1\n"
        "  own.example 300 28 fd00:77::1\n"
        "site.example\n"
        "  b.site.example 300 1 100.64.0.3\n");
  Config c;
  c.disable_ipv6 = true;
  CHECK(zones(members, c).find("fd00") == std::string::npos);
}

TEST_CASE("without an overlay network a peer's first host address is its own") {
  const auto m = decoded(R"({"peerConfig":{"address":"100.64.0.1/32"},"remotePeers":[)" +
                         peer(1, R"("10.0.0.0/8","100.64.0.2/32","192.0.2.7/32")",
                              R"(,"fqdn":"a.example")") +
                         "]}");
  CHECK(text(dns_zones({}, m)) == "example\n  a.example 300 1 100.64.0.2\n");
}

TEST_CASE("custom zones keep their records, and their word on a name stands") {
  const auto members = R"("remotePeers":[)" +
                       peer(1, R"("100.64.0.2/32")", R"(,"fqdn":"a.example")") + "," +
                       peer(2, R"("100.64.0.3/32")", R"(,"fqdn":"b.example")") +
                       R"(],"DNSConfig":{"CustomZones":[
        {"Domain":"Example.","NonAuthoritative":true,"SearchDomainDisabled":true,"Records":[
          {"Name":"a.example.","Type":5,"TTL":60,"RData":"b.example."},
          {"Name":"www.example","Type":1,"TTL":"60","RData":"192.0.2.1"}]},
        {"Domain":"empty.example"}]})";
  CHECK(zones(members) ==
        "empty.example\n"
        "example search-disabled non-authoritative\n"
        "  a.example 60 5 b.example.\n"
        "  b.example 300 1 100.64.0.3\n"
        "  own.example 300 1 100.64.0.1\n"
        "  own.example 300 28 fd00:77::1\n"
        "  www.example 60 1 192.0.2.1\n");
}
