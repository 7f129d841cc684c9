// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/network_map.hh"

#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

void check_bundle(const NetworkMap& m) {
  CHECK(m.serial == 4711);
  CHECK(m.peer_config.address->text() == "100.92.0.5/16");
  CHECK(m.peer_config.address_v6->text() == "fd00:9200::5/64");
  CHECK(m.peer_config.fqdn.text() == "db-1.netbird.cloud");
  CHECK(m.peer_config.mtu == 1280);
  CHECK(m.peer_config.routing_peer_dns_resolution);
  REQUIRE(m.remote_peers.size() == 3);
  CHECK(m.remote_peers[0].allowed_ips.size() == 2);
  CHECK(m.remote_peers[0].agent_version == "0.59.1");
  CHECK(m.remote_peers[0].endpoints().empty());
  CHECK_FALSE(m.remote_peers[0].keepalive);
  CHECK_FALSE(m.remote_peers[0].preshared_key);
  CHECK(m.offline_peers.size() == 1);
  REQUIRE(m.routes.size() == 4);
  CHECK(m.routes[0].network->text() == "10.20.0.0/16");
  CHECK(m.routes[0].peer == m.remote_peers[0].key);
  CHECK(m.routes[0].metric == 9999);
  CHECK(m.routes[0].masquerade);
  CHECK(m.routes[0].net_id == "office");
  CHECK_FALSE(m.routes[2].network);
  CHECK(m.routes[2].domains[0].text() == "*.example.com");
  CHECK(m.routes[2].keep_route);
  CHECK(m.routes[3].skip_auto_apply);
  CHECK(m.dns.service_enable);
  REQUIRE(m.dns.groups.size() == 2);
  CHECK(m.dns.groups[0].servers[1].ip.text() == "10.20.1.53");
  CHECK(m.dns.groups[0].search_domains_enabled);
  CHECK(m.dns.groups[1].primary);
  REQUIRE(m.dns.zones.size() == 2);
  CHECK(m.dns.zones[0].domain.text() == "netbird.cloud");
  CHECK(m.dns.zones[0].records[2].type == 28);
  CHECK(m.dns.zones[0].records[2].ttl == 300);
  CHECK(m.dns.zones[1].search_domain_disabled);
  CHECK(m.dns.zones[1].non_authoritative);
  REQUIRE(m.firewall_rules.size() == 5);
  CHECK(m.firewall_rules[0].sources() == std::vector{*Prefix::parse("0.0.0.0/0")});
  CHECK(m.firewall_rules[0].protocol == Protocol::icmp);
  CHECK(m.firewall_rules[0].ports().any());
  CHECK(m.firewall_rules[1].sources() == std::vector{*Prefix::parse("100.92.0.8/32")});
  CHECK(m.firewall_rules[1].ports() == PortRange{5432, 5432});
  CHECK(m.firewall_rules[1].policy_id == "d1jk8l9vq3ks73a1bcd0");
  CHECK(m.firewall_rules[2].direction == Direction::out);
  CHECK(m.firewall_rules[3].ports() == PortRange{6000, 6100});
  CHECK(m.firewall_rules[3].sources() ==
        std::vector{*Prefix::parse("100.92.0.0/16"), *Prefix::parse("fd00:9200::/64")});
  CHECK(m.firewall_rules[4].action == Action::drop);
  REQUIRE(m.route_firewall_rules.size() == 3);
  CHECK(m.route_firewall_rules[0].destination->text() == "10.20.0.0/16");
  CHECK(m.route_firewall_rules[0].port_info.ports() == PortRange{443, 443});
  CHECK_FALSE(m.route_firewall_rules[1].destination);
  CHECK(m.route_firewall_rules[1].dynamic);
  CHECK(m.route_firewall_rules[2].custom_protocol == 47);
  REQUIRE(m.forwarding_rules.size() == 1);
  CHECK(m.forwarding_rules[0].translated_address->text() == "100.92.0.8");
  CHECK(m.forwarding_rules[0].translated_port.ports() == PortRange{80, 80});
}

}  // namespace

TEST_CASE("a map as NetBird's debug bundle writes it loads") {
  check_bundle(
      decoded(source_file("tests/unit/model/data/debug_bundle_network_map.json")));
}

TEST_CASE("a map inside a SyncResponse loads, and its deprecated twin is passed over") {
  auto text = source_file("tests/unit/model/data/sync_response.json");
  const auto m = decoded(text);
  check_bundle(m);
  CHECK(m.at == "/NetworkMap");
  const auto early =
      decoded(R"({"NetworkMap":{"Serial":2},"Serial":1,"peerConfig":{"mtu":1300}})");
  CHECK(early.serial == 2);
  CHECK(early.peer_config.mtu == 0);
  CHECK(decoded(R"({"NetworkMap":null,"Serial":1})").serial == 1);
}

TEST_CASE("original and lowerCamelCase names are the same") {
  const auto m = decoded(R"({"serial":5,"peer_config":{"addressV6":"fd00::1/64"},
      "remote_peers":[],"routes":[{"id":"r","network":"10.0.0.0/8","netId":"n"}],
      "dnsConfig":{"serviceEnable":true,"nameServerGroups":[{"nameServers":
        [{"ip":"9.9.9.9","nsType":1,"port":53}]}]},
      "firewallRules":[{"peerIp":"10.0.0.1","portInfo":{"port":1}}]})");
  CHECK(m.serial == 5);
  CHECK(m.peer_config.address_v6->text() == "fd00::1/64");
  CHECK(m.routes[0].net_id == "n");
  CHECK(m.dns.groups[0].servers[0].ip.text() == "9.9.9.9");
  CHECK(m.firewall_rules[0].ports() == PortRange{1, 1});
  CHECK(problems(R"({"FirewallRules":[],"firewallRules":[]})") ==
        "m: /FirewallRules: the key occurs more than once\n");
  CHECK(problems(R"({"peerConfig":{"address_v6":"","addressV6":""}})") ==
        "m: /peerConfig/address_v6: the key occurs more than once\n");
}

TEST_CASE("numbers may be strings, enums names in any case or numbers") {
  CHECK(decoded(R"({"Serial":"18446744073709551615"})").serial == UINT64_MAX);
  CHECK(decoded(R"({"Serial":1e3})").serial == 1000);
  const auto m = decoded(R"({"FirewallRules":[
      {"Protocol":"tcp","Action":"Drop","Direction":"out","PortInfo":{"port":"80"}},
      {"Protocol":6,"Action":1,"Direction":1}]})");
  CHECK(m.firewall_rules[0].protocol == Protocol::tcp);
  CHECK(m.firewall_rules[0].action == Action::drop);
  CHECK(m.firewall_rules[0].ports() == PortRange{80, 80});
  CHECK(m.firewall_rules[1].protocol == Protocol::netbird_ssh);
  CHECK(m.firewall_rules[1].direction == Direction::out);
}

TEST_CASE("our own members of a peer decode") {
  const auto m = peers(peer(1, R"("10.0.0.1")",
                            R"(,"endpoint":"vpn.example.com:51820",
      "persistentKeepalive":0,"presharedKey":)" +
                                k(9) + R"(,"groups":["a","b"])"));
  const auto& p = m.remote_peers[0];
  CHECK(p.endpoints() == std::vector<Place>{HostPort{"vpn.example.com", 51820}});
  CHECK(p.keepalive == 0);
  CHECK(*p.preshared_key == *SecretKey::parse(key(9).text()));
  CHECK(p.groups() == std::vector<std::string_view>{"a", "b"});
  CHECK(p.allowed_ips[0].text() == "10.0.0.1/32");
}

TEST_CASE("endpoints are the one, then the others, none twice") {
  const auto endpoints = [](std::string_view members) {
    std::string all;
    const auto m = peers(peer(1, "", members));
    for (const auto& p : m.remote_peers[0].endpoints())
      all += text(p) + (std::holds_alternative<HostPort>(p) ? " (name) " : " ");
    return all;
  };
  CHECK(endpoints(R"(,"endpoints":["192.0.2.1:1","Vpn.example:2","[2001:db8::1]:3"])") ==
        "192.0.2.1:1 Vpn.example:2 (name) [2001:db8::1]:3 ");
  CHECK(endpoints(R"(,"endpoints":["a:1","b:2","a:1"],"endpoint":"c:3")") ==
        "c:3 (name) a:1 (name) b:2 (name) ");
  CHECK(endpoints(R"(,"endpoint":"b:2","endpoints":["a:1","b:2"])") ==
        "b:2 (name) a:1 (name) ");
  CHECK(endpoints(R"(,"endpoint":"","endpoints":[])") == "");
}

TEST_CASE("a peer has at most eight endpoints") {
  const auto listed = [](int count, std::string_view more) {
    std::string all;
    for (int i = 1; i <= count; ++i)
      all += (all.empty() ? "\"a:" : ",\"a:") + std::to_string(i) + '"';
    return problems(
        map_text(R"("remotePeers":[)" +
                 peer(1, "", R"(,"endpoints":[)" + all + "]" + std::string(more)) + "]"));
  };
  CHECK(listed(8, "") == "");
  CHECK(listed(8, R"(,"endpoint":"a:8")") == "");
  CHECK(listed(8, R"(,"endpoint":"a:9")") ==
        "m: /remotePeers/0: more than 8 endpoints\n");
  CHECK(listed(9, "") == "m: /remotePeers/0/endpoints: more than 8 entries\n");
}

TEST_CASE("each malformed value is named") {
  struct Case {
    std::string_view json, problem;
  };
  const Case cases[] = {
      {R"({"Serial":-1})", "m: /Serial: -1: must be 0-18446744073709551615"},
      {R"({"Serial":1.5})", "m: /Serial: 1.5: expected a whole number"},
      {R"({"Serial":"x"})", "m: /Serial: \"x\": not a decimal number"},
      {R"({"peerConfig":{"address":"100.64.0.1/33"}})",
       "m: /peerConfig/address: \"100.64.0.1/33\": the prefix length must be 0-32"},
      {R"({"peerConfig":{"address":"fd00::1/64"}})",
       "m: /peerConfig/address: \"fd00::1/64\": must be an IPv4 address"},
      {R"({"peerConfig":{"address_v6":"AAAA"}})",
       "m: /peerConfig/address_v6: \"AAAA\": a prefix has 5 or 17 bytes, not 3"},
      {R"({"peerConfig":{"address_v6":"/QAAAAAAAAAAAAAAAAAAAIE="}})",
       "m: /peerConfig/address_v6: \"/QAAAAAAAAAAAAAAAAAAAIE=\": the prefix length must "
       "be 0-128"},
      {R"({"peerConfig":{"mtu":1279}})", "m: /peerConfig/mtu: 1279: must be 1280-65535"},
      {R"({"peerConfig":{"mtu":65536}})",
       "m: /peerConfig/mtu: 65536: must be 1280-65535"},
      {R"({"peerConfig":{"fqdn":"a..b"}})",
       "m: /peerConfig/fqdn: \"a..b\": the name has an empty label"},
      {R"({"peerConfig":{"fqdn":"a\u0007"}})",
       "m: /peerConfig/fqdn: \"a\\u0007\": a name has visible ASCII characters only"},
      {R"({"remotePeers":{}})", "m: /remotePeers: an object is not expected here"},
      {R"({"remotePeers":[[]]})", "m: /remotePeers/0: a list is not expected here"},
      {R"({"remotePeers":[{"allowedIps":["10.0.0.0/33"]}]})",
       "m: /remotePeers/0/allowedIps/0: \"10.0.0.0/33\": the prefix length must be 0-32"},
      {R"({"remotePeers":[{"allowedIps":[""]}]})",
       "m: /remotePeers/0/allowedIps/0: \"\": not an IP address"},
      {R"({"remotePeers":[{"allowedIps":["10.0.0.1\u0000"]}]})",
       "m: /remotePeers/0/allowedIps/0: \"10.0.0.1\\u0000\": not an IP address"},
      {R"({"remotePeers":[{"endpoint":"192.0.2.1"}]})",
       "m: /remotePeers/0/endpoint: \"192.0.2.1\": expected host:port"},
      {R"({"remotePeers":[{"endpoint":"192.0.2.1:0"}]})",
       "m: /remotePeers/0/endpoint: \"192.0.2.1:0\": the port must be 1-65535"},
      {R"({"remotePeers":[{"endpoint":"192.0.2.1:666666666"}]})",
       "m: /remotePeers/0/endpoint: \"192.0.2.1:666666666\": the port must be 1-65535"},
      {R"({"remotePeers":[{"endpoint":"a b:1"}]})",
       "m: /remotePeers/0/endpoint: \"a b:1\": a name has visible ASCII characters only"},
      {R"({"remotePeers":[{"endpoints":[""]}]})",
       "m: /remotePeers/0/endpoints/0: \"\": expected host:port"},
      {R"({"remotePeers":[{"endpoints":["192.0.2.1:1","a..b:1"]}]})",
       "m: /remotePeers/0/endpoints/1: \"a..b:1\": the name has an empty label"},
      {R"({"remotePeers":[{"persistentKeepalive":65536}]})",
       "m: /remotePeers/0/persistentKeepalive: 65536: must be 0-65535"},
      {R"({"Routes":[{"ID":"x"}]})", "m: /Routes/0: has neither Network nor Domains"},
      {R"({"Routes":[{"Domains":[""]}]})",
       "m: /Routes/0/Domains/0: \"\": the name is empty"},
      {R"({"DNSConfig":{"NameServerGroups":[{"NameServers":[{"IP":"9.9.9.9","Port":0}]}]}})",
       "m: /DNSConfig/NameServerGroups/0/NameServers/0/Port: 0: the port must be "
       "1-65535"},
      {R"({"DNSConfig":{"NameServerGroups":[{"NameServers":[{"IP":"fe80::1%eth0"}]}]}})",
       "m: /DNSConfig/NameServerGroups/0/NameServers/0/IP: \"fe80::1%eth0\": not an IP "
       "address"},
      {R"({"DNSConfig":{"CustomZones":[{"Records":[]}]}})",
       "m: /DNSConfig/CustomZones/0: the zone has no Domain"},
      {R"({"DNSConfig":{"CustomZones":[{"Domain":"a","Records":[{"Name":"b.a","Type":1,"RData":"::1"}]}]}})",
       "m: /DNSConfig/CustomZones/0/Records/0: the RData is no address of the record's "
       "type"},
      {R"({"DNSConfig":{"CustomZones":[{"Domain":"a","Records":[{"Name":"b.a","Type":1,"TTL":"2147483648"}]}]}})",
       "m: /DNSConfig/CustomZones/0/Records/0/TTL: \"2147483648\": larger than "
       "2147483647"},
      {R"({"DNSConfig":{"CustomZones":[{"Domain":"a","Records":[{"Name":"b.a","Type":65536}]}]}})",
       "m: /DNSConfig/CustomZones/0/Records/0/Type: 65536: must be 0-65535"},
      {R"({"DNSConfig":{"CustomZones":[{"Domain":"a","Records":[{"Class":"CH"}]}]}})",
       "m: /DNSConfig/CustomZones/0/Records/0/Class: \"CH\": only class IN is served"},
      {R"({"FirewallRules":[{"Action":"REJECT"}]})",
       "m: /FirewallRules/0/Action: \"REJECT\": not one of ACCEPT, DROP"},
      {R"({"FirewallRules":[{"Action":2}]})",
       "m: /FirewallRules/0/Action: 2: must be 0-1"},
      {R"({"FirewallRules":[{"PortInfo":{"port":65536}}]})",
       "m: /FirewallRules/0/PortInfo/port: 65536: the port must be 1-65535"},
      {R"({"FirewallRules":[{"PortInfo":{"port":1,"range":{"start":1,"end":2}}}]})",
       "m: /FirewallRules/0/PortInfo: port and range exclude each other"},
      {R"({"FirewallRules":[{"PortInfo":{"range":{"start":2,"end":1}}}]})",
       "m: /FirewallRules/0/PortInfo: the range must be 1-65535, start before end"},
      {R"({"FirewallRules":[{"sourcePrefixes":["CgAAACE="]}]})",
       "m: /FirewallRules/0/sourcePrefixes/0: \"CgAAACE=\": the prefix length must be "
       "0-32"},
      {R"({"FirewallRules":[{"sourcePrefixes":["CgAAAA=="]}]})",
       "m: /FirewallRules/0/sourcePrefixes/0: \"CgAAAA==\": a prefix has 5 or 17 bytes, "
       "not 4"},
      {R"({"FirewallRules":[{"PolicyID":"***"}]})",
       "m: /FirewallRules/0/PolicyID: \"***\": not base64"},
      {R"({"forwardingRules":[{"translatedAddress":"AAA="}]})",
       "m: /forwardingRules/0/translatedAddress: \"AAA=\": an address has 4 or 16 bytes, "
       "not 2"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.json);
    CHECK(problems(c.json) == std::string(c.problem) + "\n");
  }
}

TEST_CASE("keys must be 32 bytes, and a preshared one is never shown") {
  const auto with = [](std::string_view key) {
    return problems(R"({"remotePeers":[{"wgPubKey":")" + std::string(key) + R"("}]})");
  };
  CHECK(with("") == "");  // for validate() to refuse
  CHECK(with("AAAA").starts_with("m: /remotePeers/0/wgPubKey: \"AAAA\": "));
  CHECK(with(key(1).text() + "AAAA") != "");
  const auto secret = problems(R"({"remotePeers":[{"presharedKey":"hunter2"}]})");
  CHECK(secret.starts_with("m: /remotePeers/0/presharedKey: "));
  CHECK(secret.find("hunter2") == secret.npos);
}

TEST_CASE("unknown members of any form are passed over") {
  CHECK(
      decoded(R"({"Serial":3,"new":{"a":[1,{"b":null}],"c":"x"},"other":[[]]})").serial ==
      3);
}

TEST_CASE("lists of a map are limited") {
  const auto many = [](size_t n, std::string_view one) {
    std::string all;
    for (size_t i = 0; i < n; ++i) (all += i ? "," : "") += one;
    return all;
  };
  CHECK(problems(R"({"remotePeers":[)" +
                 peer(1, many(kMaxPrefixesPerPeer, "\"10.0.0.1\"")) + "]}") == "");
  CHECK(problems(R"({"remotePeers":[)" +
                 peer(1, many(kMaxPrefixesPerPeer + 1, "\"10.0.0.1\"")) + "]}") ==
        "m: /remotePeers/0/allowedIps: more than 256 entries\n");
  CHECK(problems(R"({"offlinePeers":[)" + many(kMaxPeers + 1, peer(1, "\"10.0.0.1\"")) +
                 "]}") == "m: /offlinePeers: more than 50000 entries\n");
}

TEST_CASE("a map of legal size and least text is not taken for a bomb") {
  std::string all;
  for (size_t i = 0; i < 20'000; ++i) (all += i ? "," : "") += peer(1, "\"10.0.0.1\"");
  CHECK(problems(R"({"remotePeers":[)" + all + "]}") == "");
}

TEST_CASE("a document beyond the limit is refused by its size alone") {
  CHECK(problems(std::string(kMaxMapBytes + 1, ' ')) ==
        "m: larger than 33554432 bytes\n");
}
