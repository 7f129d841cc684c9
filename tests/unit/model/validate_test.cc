// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/validate.hh"

#include <algorithm>

#include "agent/model/desired.hh"
#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

Key own() { return key(200); }

// Errors of the map, then what is refused, one a line; keys as "#1".
std::string text(const Verdict& v) {
  std::string out;
  for (const auto& e : v.errors.list) out += e.pointer + ": " + e.reason + '\n';
  for (const auto& r : v.refusals) out += r.text() + '\n';
  for (int n = 1; n < 20; ++n)
    for (size_t at; (at = out.find(key(static_cast<uint8_t>(n)).text())) != out.npos;)
      out.replace(at, 44, "#" + std::to_string(n));
  return out;
}

std::string judged(const NetworkMap& m, const Config& c = {}, MapContext context = {}) {
  context.own_key = own();
  return text(validate(c, m, context));
}

std::string judged_on(const HostView& host, const NetworkMap& m, const Config& c = {},
                      const MapContext& context = {.own_key = own()}) {
  auto v = validate(c, m, context);
  validate_on_host(c, m, context, host, v);
  return text(v);
}

Config full_tunnel() {
  Config c;
  c.routing.allow_default_route = true;
  return c;
}

std::string many(std::string_view prefix, int from, int to, std::string_view bits) {
  std::string all;
  for (int i = from; i <= to; ++i)
    all += (all.empty() ? "\"" : ",\"") + std::string(prefix) + std::to_string(i) +
           std::string(bits) + "\"";
  return all;
}

HostView lan() {
  HostView h;
  h.links = {{.index = IfIndex{1}, .name = "lo"},
             {.index = IfIndex{2}, .name = "eth0"},
             {.index = IfIndex{7}, .name = "wt0"}};
  const auto add = [&](int link, std::string_view a) {
    h.addresses.push_back({IfIndex{link}, *InterfaceAddress::parse(a)});
  };
  add(1, "127.0.0.1/8");
  add(2, "192.168.1.10/24");
  add(2, "2001:db8:1::10/64");
  add(2, "fe80::10/64");
  add(7, "100.64.0.1/16");
  h.routes = {{.destination = Prefix{},
               .device = IfIndex{2},
               .gateway = *Address::parse("192.168.1.1")},
              {.destination = *Prefix::parse("172.16.0.0/12"),
               .device = IfIndex{2},
               .gateway = *Address::parse("198.51.100.1")}};
  h.dns_servers = {*Address::parse("9.9.9.9"), *Address::parse("127.0.0.53")};
  return h;
}

}  // namespace

TEST_CASE("an ordinary map has nothing against it") {
  CHECK(judged(peers(
            peer(1, R"("100.64.0.2/32","10.0.0.0/8")", R"(,"endpoint":"192.0.2.1:1")") +
            "," + peer(2, R"("100.64.0.3/32","10.1.0.0/16")"))) == "");
}

TEST_CASE("a key that is doubled, zero or our own refuses the map") {
  CHECK(judged(peers(peer(1, "") + "," + peer(2, "") + "," + peer(1, ""))) ==
        "/remotePeers/2/wgPubKey: peer 0 has the same key\n");
  CHECK(judged(peers(peer(0, ""))) ==
        "/remotePeers/0/wgPubKey: the key is missing or all zero\n");
  CHECK(judged(peers("{}")) ==
        "/remotePeers/0/wgPubKey: the key is missing or all zero\n");
  CHECK(judged(peers(peer(200, ""))) == "/remotePeers/0/wgPubKey: this host's own key\n");
}

TEST_CASE("the same prefix on two peers refuses the map, on one it is harmless") {
  CHECK(judged(peers(peer(1, R"("10.0.0.0/8")") + "," +
                     peer(2, R"("192.0.2.0/24","10.1.2.3/8")"))) ==
        "/remotePeers/1/allowedIps/1: peer 0 has the same network\n");
  CHECK(judged(peers(peer(1, R"("10.0.0.0/8","10.0.0.0/8")"))) == "");
}

TEST_CASE("a network that holds others is noted") {
  const auto m = peers(peer(1, R"("10.0.0.0/8")") + "," +
                       peer(2, R"("10.1.0.0/16","10.2.0.0/16","11.0.0.0/16")"));
  const auto v = validate({}, m, {});
  CHECK(v.ok());
  CHECK(v.notes == std::vector<std::string>{"10.0.0.0/8 of /remotePeers/0 holds networks "
                                            "of other entries, which win"});
}

TEST_CASE("a map without a usable own address is refused") {
  const auto with = [](std::string_view config) {
    return judged(decoded(R"({"peerConfig":)" + std::string(config) + "}"));
  };
  CHECK(with("{}") == "/peerConfig/address: the map gives this host no address\n");
  CHECK(judged(decoded("{}")) ==
        "/peerConfig/address: the map gives this host no address\n");
  CHECK(with(R"({"address":"10.0.0.1/8"})") == "");
  CHECK(with(R"({"address":"10.0.0.1/7"})") ==
        "/peerConfig/address: the overlay must be /8 or smaller\n");
  CHECK(with(R"({"address_v6":"fd00::1/0"})") ==
        "/peerConfig/address_v6: the overlay must be /16 or smaller\n");
  for (const auto* bad : {"127.0.0.1/8", "169.254.0.1/16", "224.0.0.1/24", "0.0.0.0/8"})
    CHECK(with(R"({"address":")" + std::string(bad) + R"("})") ==
          "/peerConfig/address: no address for a host in the overlay\n");
}

TEST_CASE("an older serial is refused unless forced") {
  const auto m = map_of(R"("Serial":"7")");
  CHECK(judged(m, {}, {.applied_serial = 7}) == "");
  CHECK(judged(m, {}, {.applied_serial = 8}) ==
        "/Serial: older than the map in force, whose serial is 8; it takes force to go "
        "back\n");
  CHECK(judged(m, {}, {.applied_serial = 8, .force_serial = true}) == "");
}

TEST_CASE("default routes need the opt-in, in whatever pieces they come") {
  const auto needs = [](std::string_view prefix, std::string_view family) {
    return "with " + std::string(prefix) + " the map would take more than half of " +
           std::string(family) + "; routing.allowDefaultRoute would permit that\n";
  };
  const auto all = peers(peer(1, R"("100.64.0.2/32","0.0.0.0/0")") + "," +
                         peer(2, R"("100.64.0.3/32")"));
  CHECK(judged(all) == "peer #1 (/remotePeers/0): " + needs("0.0.0.0/0", "IPv4"));
  CHECK(judged(all, full_tunnel()) == "");
  CHECK(judged(peers(peer(1, R"("::/0")"))) ==
        "peer #1 (/remotePeers/0): " + needs("::/0", "IPv6"));
  CHECK(judged(peers(peer(1, R"("2000::/3")"))) ==
        "peer #1 (/remotePeers/0): " + needs("2000::/3", "IPv6"));
  // Pieces of the trick, on one peer, on two, and fine ones.
  const auto halves =
      peers(peer(1, R"("0.0.0.0/1")") + "," + peer(2, R"("128.0.0.0/1")"));
  CHECK(judged(halves).find("peer #2 (/remotePeers/1): " +
                            needs("128.0.0.0/1", "IPv4")) != std::string::npos);
  CHECK(judged(halves, full_tunnel()) == "");
  const auto fine = peers(peer(1, many("", 128, 200, ".0.0.0/8")) + "," +
                          peer(2, many("", 1, 100, ".0.0.0/8")));
  CHECK(judged(fine).find(" the map would take more than half of IPv4") !=
        std::string::npos);
  CHECK(validate({}, fine, {}).accepted.peers[0] !=
        validate({}, fine, {}).accepted.peers[1]);
}

TEST_CASE("a default route of the map needs the opt-in, one that we serve does not") {
  const auto with = [](const Key& routing_peer) {
    return map_of(
        R"("remotePeers":[)" + peer(1, R"("100.64.0.2/32")") +
        R"(],"Routes":[{"ID":"r","NetID":"exit","Network":"0.0.0.0/0","Peer":")" +
        routing_peer.text() + R"("}])");
  };
  CHECK(judged(with(key(1))).starts_with("route exit (/Routes/0): with 0.0.0.0/0 "));
  CHECK(judged(with(key(1)), full_tunnel()) == "");
  CHECK(judged(with(own())) == "");
  CHECK(judged(with(key(3))) ==
        "route exit (/Routes/0): its routing peer is not in the map\n");
  CHECK(judged(with({})) ==
        "route exit (/Routes/0): its routing peer is not in the map\n");
}

TEST_CASE("loopback, link-local and multicast are not routed, the rest of the peer is") {
  struct Case {
    std::string_view prefix, reason;
  };
  const Case cases[] = {
      {"127.0.0.1/32", "overlaps 127.0.0.0/8 (loopback)"},
      {"126.0.0.0/7", "overlaps 127.0.0.0/8 (loopback)"},
      {"169.254.169.254/32", "overlaps 169.254.0.0/16 (link-local)"},
      {"224.0.0.0/3", "overlaps 224.0.0.0/4 (multicast)"},
      {"::1/128", "overlaps ::1/128 (loopback)"},
      {"fe80::1/128", "overlaps fe80::/10 (link-local)"},
      {"ff02::1/128", "overlaps ff00::/8 (multicast)"},
      {"0.0.0.0/32", "overlaps 0.0.0.0/32 (unspecified)"},
      {"100.64.0.1/32", "this host's own address"},
      {"fd00:77::1/128", "this host's own address"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.prefix);
    const auto m = peers(peer(1, R"("10.0.0.0/8",")" + std::string(c.prefix) + '"'));
    CHECK(judged(m) == std::string(c.prefix) +
                           " of peer #1 (/remotePeers/0/allowedIps/1): " +
                           std::string(c.reason) + "\n");
    CHECK(validate({}, m, {}).accepted.left_out.at(0) == std::vector<uint16_t>{1});
  }
}

TEST_CASE("a peer with no network left is refused") {
  CHECK(judged(peers(peer(1, R"("127.0.0.1/32")"))) ==
        "127.0.0.1/32 of peer #1 (/remotePeers/0/allowedIps/0): overlaps 127.0.0.0/8 "
        "(loopback)\n"
        "peer #1 (/remotePeers/0): none of its allowed IPs can be used\n");
  CHECK(judged(peers(peer(1, ""))) == "");
}

TEST_CASE("networks that the administrator excludes are left out") {
  Config c;
  c.routing.exclude = {*Prefix::parse("10.0.0.0/8")};
  CHECK(judged(peers(peer(1, R"("10.1.0.0/16","11.0.0.0/16")")), c) ==
        "10.1.0.0/16 of peer #1 (/remotePeers/0/allowedIps/0): in 10.0.0.0/8, which "
        "routing.exclude names\n");
}

TEST_CASE("an endpoint inside the tunnel refuses its peer") {
  const auto list = [](std::string_view third) {
    return peers(peer(1, R"("192.0.2.0/24")", R"(,"endpoint":"192.0.2.1:1")") + "," +
                 peer(2, R"("100.64.0.3/32")", R"(,"endpoint":"192.0.2.7:1")") + "," +
                 peer(3, third, R"(,"endpoint":"198.51.100.1:1")"));
  };
  const auto m = list(R"("100.64.0.4/32")");
  CHECK(judged(m) ==
        "peer #1 (/remotePeers/0): its endpoint 192.0.2.1 is inside the tunnel "
        "(192.0.2.0/24)\n"
        "peer #2 (/remotePeers/1): its endpoint 192.0.2.7 is inside the tunnel "
        "(192.0.2.0/24)\n");
  // The mark keeps WireGuard's packets out of the table of a full tunnel, if there is
  // one.
  CHECK(judged(m, full_tunnel()) == judged(m));
  CHECK(judged(list(R"("100.64.0.4/32","0.0.0.0/0")"), full_tunnel()) == "");
  // The overlay's own route has no way around it.
  CHECK(judged(peers(peer(1, "", R"(,"endpoint":"100.64.9.9:1")")), full_tunnel()) ==
        "peer #1 (/remotePeers/0): its endpoint 100.64.9.9 is inside the tunnel "
        "(100.64.0.0/16)\n");
  CHECK(judged(peers(peer(1, "", R"(,"endpoint":"0.0.0.0:1")"))) ==
        "peer #1 (/remotePeers/0): its endpoint 0.0.0.0 is no host\n");
}

TEST_CASE("an endpoint's name is judged by what it resolves to") {
  const auto m = peers(peer(1, R"("192.0.2.0/24")", R"(,"endpoint":"a.example:1")"));
  CHECK(judged(m) == "");
  MapContext context;
  context.resolved[{"a.example", 1}] = {*Endpoint::parse("192.0.2.9:1")};
  CHECK(judged(m, {}, context) ==
        "peer #1 (/remotePeers/0): its endpoint 192.0.2.9 is inside the tunnel "
        "(192.0.2.0/24)\n");
}

TEST_CASE("of several endpoints those inside the tunnel are left out") {
  const auto m = peers(
      peer(1, R"("192.0.2.0/24")",
           R"(,"endpoints":["192.0.2.1:1","198.51.100.1:1","192.0.2.1:2"])") +
      "," +
      peer(2, R"("100.64.0.3/32")", R"(,"endpoints":["192.0.2.7:1","100.64.0.9:1"])"));
  CHECK(judged(m) ==
        "peer #1 (/remotePeers/0): endpoint 192.0.2.1 is inside the tunnel "
        "(192.0.2.0/24)\n"
        "peer #2 (/remotePeers/1): endpoint 192.0.2.7 is inside the tunnel "
        "(192.0.2.0/24)\n"
        "peer #2 (/remotePeers/1): endpoint 100.64.0.9 is inside the tunnel "
        "(100.64.0.0/16)\n"
        "peer #2 (/remotePeers/1): none of its endpoints can be used\n");
  const auto v = validate({}, m, {.own_key = own()});
  CHECK(v.accepted.unusable_endpoints == std::vector{*Address::parse("100.64.0.9"),
                                                     *Address::parse("192.0.2.1"),
                                                     *Address::parse("192.0.2.7")});
  const auto d = desired({}, m, SecretKey::generate(), {}, {}, v.accepted);
  REQUIRE(d.peers.size() == 1);
  CHECK(d.peers[0].endpoint == *Endpoint::parse("198.51.100.1:1"));
  // The mark keeps WireGuard's packets out of the routes, but not out of the overlay's.
  const auto all = peers(
      peer(1, R"("192.0.2.0/24","0.0.0.0/0")",
           R"(,"endpoints":["192.0.2.1:1","198.51.100.1:1"])") +
      "," +
      peer(2, R"("100.64.0.3/32")", R"(,"endpoints":["192.0.2.7:1","100.64.0.9:1"])"));
  CHECK(judged(all, full_tunnel()) ==
        "peer #2 (/remotePeers/1): endpoint 100.64.0.9 is inside the tunnel "
        "(100.64.0.0/16)\n");
}

TEST_CASE("each address of an endpoint's name is judged") {
  const auto m = peers(
      peer(1, R"("192.0.2.0/24")", R"(,"endpoints":["a.example:1","later.example:1"])"));
  MapContext context;
  context.resolved[{"a.example", 1}] = {*Endpoint::parse("192.0.2.9:1"),
                                        *Endpoint::parse("198.51.100.1:1")};
  const std::string left_out =
      "peer #1 (/remotePeers/0): endpoint 192.0.2.9 is inside the tunnel "
      "(192.0.2.0/24)\n";
  CHECK(judged(m, {}, context) == left_out);
  // The other name may lead elsewhere.
  context.resolved[{"a.example", 1}].pop_back();
  CHECK(judged(m, {}, context) == left_out);
  context.resolved[{"later.example", 1}] = {*Endpoint::parse("192.0.2.10:1")};
  CHECK(judged(m, {}, context) ==
        left_out +
            "peer #1 (/remotePeers/0): endpoint 192.0.2.10 is inside the tunnel "
            "(192.0.2.0/24)\n"
            "peer #1 (/remotePeers/0): none of its endpoints can be used\n");
}

TEST_CASE("what overlaps the host's networks, gateways and DNS servers is left out") {
  struct Case {
    std::string_view prefix, reason;
  };
  const Case cases[] = {
      {"192.168.1.0/24", "overlaps 192.168.1.0/24, the network of eth0"},
      {"192.168.1.128/25", "overlaps 192.168.1.0/24, the network of eth0"},
      {"192.168.0.0/16", "overlaps 192.168.1.0/24, the network of eth0"},
      {"2001:db8:1::/48", "overlaps 2001:db8:1::/64, the network of eth0"},
      {"198.51.100.0/24", "overlaps 198.51.100.1/32, a gateway"},
      {"9.9.9.9/32", "overlaps 9.9.9.9/32, a DNS server of this host"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.prefix);
    const auto prefix = std::string(c.prefix);
    CHECK(judged_on(lan(), peers(peer(1, R"("100.64.0.2/32",")" + prefix + '"'))) ==
          prefix + " of peer #1 (/remotePeers/0/allowedIps/1): " + std::string(c.reason) +
              "\n");
    const auto route = [&](const Key& k) {
      return map_of(R"("remotePeers":[)" + peer(1, R"("100.64.0.2/32")") +
                    R"(],"Routes":[{"ID":"r","Network":")" + prefix + R"(","Peer":")" +
                    k.text() + R"("}])");
    };
    CHECK(judged_on(lan(), route(key(1))) ==
          "route r (/Routes/0): " + std::string(c.reason) + "\n");
    // Serving our own network to others is what a routing peer is for.
    CHECK(judged_on(lan(), route(own())) == "");
  }
}

TEST_CASE("our own link, loopback stubs and a permitted default route do not count") {
  CHECK(judged_on(lan(), peers(peer(1, R"("100.64.0.2/32","100.64.0.0/10")"))) == "");
  CHECK(judged_on(lan(), peers(peer(1, R"("0.0.0.0/0","::/0")")), full_tunnel()) == "");
  CHECK(judged_on({}, peers(peer(1, R"("192.168.1.0/24")"))) == "");
}

TEST_CASE("where others use the full tunnel's table, a map that needs it is refused") {
  const std::string needs = "needs routing table 7120, where ";
  const std::string names = "; routing.table names it\n";
  auto host = lan();
  host.table_foreign = {.destination = *Prefix::parse("10.66.0.0/16"), .table = 7120};
  const auto map = peers(peer(1, R"("100.64.0.2/32","10.1.0.0/16","0.0.0.0/0","::/0")") +
                         "," + peer(2, R"("128.0.0.0/1","10.2.0.0/16")"));
  const auto route =
      map_of(R"("remotePeers":[)" + peer(1, R"("100.64.0.2/32")") +
             R"(],"Routes":[{"ID":"r","NetID":"exit","Network":"0.0.0.0/0","Peer":")" +
             key(1).text() + R"("}])");
  CHECK(judged_on(host, map, full_tunnel()) ==
        "/remotePeers/1/allowedIps/0: " + needs + "others have 10.66.0.0/16" + names);
  CHECK(judged_on(host, route, full_tunnel()) ==
        "/Routes/0: " + needs + "others have 10.66.0.0/16" + names);
  CHECK(judged_on(host, peers(peer(1, R"("10.1.0.0/16")")), full_tunnel()) == "");

  auto led = lan();
  led.rules = {{.priority = 90, .table = 7120}};
  CHECK(judged_on(led, route, full_tunnel()) ==
        "/Routes/0: " + needs + "others' rule 90 leads" + names);
  led.table_held = true;
  CHECK(judged_on(led, route, full_tunnel()) == "");
  led = lan();
  led.rules = {{.priority = 90, .table = 7121}};
  CHECK(judged_on(led, route, full_tunnel()) == "");
}

TEST_CASE("of a map in force, what needs a table that others took since is left out") {
  auto host = lan();
  host.table_foreign = {.destination = *Prefix::parse("10.66.0.0/16"), .table = 7120};
  const std::string reason =
      "needs routing table 7120, where others have 10.66.0.0/16; routing.table names "
      "it\n";
  const auto map = peers(peer(1, R"("100.64.0.2/32","10.1.0.0/16","0.0.0.0/0","::/0")") +
                         "," + peer(2, R"("128.0.0.0/1","10.2.0.0/16")"));
  CHECK(judged_on(host, map, full_tunnel(), {.own_key = own(), .in_force = true}) ==
        "0.0.0.0/0 of peer #1 (/remotePeers/0/allowedIps/2): " + reason +
            "::/0 of peer #1 (/remotePeers/0/allowedIps/3): " + reason +
            "128.0.0.0/1 of peer #2 (/remotePeers/1/allowedIps/0): " + reason);
}

TEST_CASE("an own address or network that another interface has refuses the map") {
  const auto with = [](std::string_view address) {
    return judged_on(lan(), decoded(R"({"peerConfig":{"address":")" +
                                    std::string(address) + R"("}})"));
  };
  CHECK(with("192.168.1.10/32") == "/peerConfig/address: eth0 has the same address\n");
  CHECK(with("192.168.1.77/24") ==
        "/peerConfig/address: its network is in 192.168.1.0/24, the network of eth0\n");
  CHECK(with("192.168.1.77/25") ==
        "/peerConfig/address: its network is in 192.168.1.0/24, the network of eth0\n");
  CHECK(with("192.168.2.77/24") == "");
}

TEST_CASE("pointers lead into a SyncResponse, problems name their file") {
  const auto m = decoded(R"({"NetworkMap":{"peerConfig":{"address":"10.0.0.1/7"}}})");
  const auto v = validate({}, m, {.file = "map.json"});
  CHECK(v.errors.text() ==
        "map.json: /NetworkMap/peerConfig/address: \"10.0.0.1/7\": the overlay must be "
        "/8 or smaller\n");
}

TEST_CASE("refusals are listed up to a limit and counted beyond") {
  std::string list;
  for (int p = 0; p < 5; ++p)
    (list += p ? "," : "") += peer(static_cast<uint8_t>(p + 1),
                                   many("127.0." + std::to_string(p) + ".", 0, 249, ""));
  const auto v = validate({}, peers(list), {});
  CHECK(v.ok());
  CHECK(v.refusals.size() == kMaxRefusals);
  CHECK(v.more_refusals == 255);
  CHECK(v.accepted.peers == std::vector<bool>(v.accepted.peers.size()));
}

TEST_CASE("the largest legal map is judged and applied as a whole") {
  NetworkMap m;
  m.peer_config.address = *InterfaceAddress::parse("100.64.0.1/10");
  for (uint32_t i = 0; i < 2'000; ++i) {
    RemotePeer p;
    std::array<uint8_t, kKeyBytes> bytes{};
    bytes[0] = static_cast<uint8_t>(i);
    bytes[1] = static_cast<uint8_t>(i >> 8);
    bytes[2] = 1;
    p.key = *Key::from_bytes(bytes);
    for (uint32_t j = 0; j < 20; ++j)
      p.allowed_ips.push_back(Prefix::host(Address::v4(0x0a000000 + i * 32 + j)));
    p.endpoints = {*Endpoint::parse("192.0.2.1:1")};
    m.remote_peers.push_back(std::move(p));
  }
  const auto v = validate({}, m, {});
  CHECK(v.ok());
  CHECK(v.refusals.empty());
  const auto d = desired({}, m, SecretKey::generate(), {}, {}, v.accepted);
  CHECK(d.peers.size() == 2'000);
  CHECK(d.routes.size() == 40'001);  // and the closed overlay
}

TEST_CASE("more prefixes in all than the limit refuse the map") {
  NetworkMap m;
  m.peer_config.address = *InterfaceAddress::parse("100.64.0.1/10");
  RemotePeer p;
  p.key = key(1);
  p.allowed_ips.resize(kMaxPrefixes + 1, *Prefix::parse("10.0.0.1"));
  m.remote_peers.push_back(std::move(p));
  CHECK(text(validate({}, m, {})) == "/remotePeers: more than 500000 allowed IPs\n");
}
