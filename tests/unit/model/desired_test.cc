// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/desired.hh"

#include "agent/model/settings.hh"
#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

Desired want(const NetworkMap& m, const Config& c = {}, const Resolved& resolved = {},
             const SecretKey& preshared = {}) {
  return desired(c, m, SecretKey::generate(), preshared, resolved,
                 validate(c, m, {}).accepted);
}

std::string text(const std::vector<Prefix>& all) {
  std::string out;
  for (const auto& p : all) out += p.text() + " ";
  return out;
}

std::string routes(const Desired& d) {
  std::string out;
  for (const auto& r : d.routes) {
    CHECK(r.protocol == kRouteProtocol);
    if (r.type == Route::Type::unreachable) continue;  // full_tunnel_test.cc
    CHECK(r.device == IfIndex::none);
    out += r.destination.text() + " table " + std::to_string(r.table) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("link, key, port and mark come from the settings") {
  Config c;
  c.interface_name = "wt7";
  c.wireguard_port = 1234;
  c.routing.mark = 0x100;
  const auto m = map_of("");
  const auto own = SecretKey::generate();
  const auto d = desired(c, m, own, {}, {}, {});
  CHECK(d.up);
  CHECK(d.link == "wt7");
  CHECK(d.listen_port == 1234);
  CHECK(d.fwmark == 0x100);
  CHECK(d.private_key == own);
  CHECK(d.addresses == std::vector{*InterfaceAddress::parse("100.64.0.1/16"),
                                   *InterfaceAddress::parse("fd00:77::1/64")});
  CHECK(d.rules.empty());
}

TEST_CASE("the map's MTU beats the default, an explicit setting beats the map") {
  const auto m = decoded(R"({"peerConfig":{"address":"100.64.0.1/16","mtu":1400}})");
  CHECK(want(m).mtu == 1400);
  Config c;
  REQUIRE(set(c, *find_setting("/mtu"), "1280", "--mtu"));
  CHECK(want(m, c).mtu == 1280);
  CHECK(want(map_of("")).mtu == 1280);
}

TEST_CASE("peers and allowed IPs are sorted, prefixes outside the overlay are routed") {
  const auto d = want(
      peers(peer(2, R"("100.64.0.3/32","192.0.2.0/24","10.0.0.0/8","192.0.2.0/24")") +
            "," + peer(1, R"("fd00:77::2/128","100.64.0.2/32","2001:db8::/32")")));
  REQUIRE(d.peers.size() == 2);
  CHECK(d.peers[0].public_key == key(1));
  CHECK(text(d.peers[0].allowed_ips) == "100.64.0.2/32 2001:db8::/32 fd00:77::2/128 ");
  CHECK(text(d.peers[1].allowed_ips) == "10.0.0.0/8 100.64.0.3/32 192.0.2.0/24 ");
  CHECK(routes(d) ==
        "10.0.0.0/8 table 254\n192.0.2.0/24 table 254\n2001:db8::/32 table 254\n");
}

TEST_CASE("without IPv6 there are neither addresses nor allowed IPs nor routes of it") {
  Config c;
  c.disable_ipv6 = true;
  const auto d =
      want(peers(peer(1, R"("100.64.0.2/32","fd00:77::2/128","2001:db8::/32")")), c);
  CHECK(d.addresses.size() == 1);
  CHECK(text(d.peers[0].allowed_ips) == "100.64.0.2/32 ");
  CHECK(routes(d) == "");
  // Nor routes for a host that has no address of the family.
  const auto v4 = want(decoded(R"({"peerConfig":{"address":"100.64.0.1/16"},
      "remotePeers":[)" + peer(1, R"("2001:db8::/32","10.0.0.0/8")") +
                               "]}"));
  CHECK(routes(v4) == "10.0.0.0/8 table 254\n");
}

TEST_CASE("keepalive is 25 unless the map says otherwise, and 0 is a word") {
  const auto d =
      want(peers(peer(1, "") + "," + peer(2, "", R"(,"persistentKeepalive":0)") + "," +
                 peer(3, "", R"(,"persistentKeepalive":"7")")));
  CHECK(d.peers[0].keepalive == 25);
  CHECK(d.peers[1].keepalive == 0);
  CHECK(d.peers[2].keepalive == 7);
}

TEST_CASE("endpoints are literal or resolved, or not known yet") {
  const auto d =
      want(peers(peer(1, "", R"(,"endpoint":"192.0.2.1:7")") + "," +
                 peer(2, "", R"(,"endpoint":"[2001:db8::1]:8")") + "," +
                 peer(3, "", R"(,"endpoint":"known.example:9")") + "," +
                 peer(4, "", R"(,"endpoint":"unknown.example:9")") + "," + peer(5, "")),
           {}, {{{"known.example", 9}, {*Endpoint::parse("198.51.100.1:9")}}});
  CHECK(d.peers[0].endpoint == *Endpoint::parse("192.0.2.1:7"));
  CHECK(d.peers[1].endpoint == *Endpoint::parse("[2001:db8::1]:8"));
  CHECK(d.peers[2].endpoint == *Endpoint::parse("198.51.100.1:9"));
  CHECK_FALSE(d.peers[3].endpoint);
  CHECK_FALSE(d.peers[4].endpoint);
}

TEST_CASE("a peer's preshared key beats the one for all") {
  const auto shared = SecretKey::generate();
  const auto d =
      want(peers(peer(1, "") + "," + peer(2, "", R"(,"presharedKey":)" + k(9))), {}, {},
           shared);
  CHECK(d.peers[0].preshared_key == shared);
  CHECK(d.peers[1].preshared_key == *SecretKey::parse(key(9).text()));
}

TEST_CASE("what was refused is not in it") {
  const auto d = want(
      peers(peer(1, R"("0.0.0.0/0")") + "," + peer(2, R"("127.0.0.1/32","10.0.0.0/8")")));
  REQUIRE(d.peers.size() == 1);
  CHECK(d.peers[0].public_key == key(2));
  CHECK(text(d.peers[0].allowed_ips) == "10.0.0.0/8 ");
  CHECK(routes(d) == "10.0.0.0/8 table 254\n");
}

TEST_CASE("with default routes permitted, routes have a table and rules of their own") {
  Config c;
  c.routing.allow_default_route = true;
  const auto d = want(peers(peer(1, R"("0.0.0.0/0","10.0.0.0/8")")), c);
  // ::/0 carries answers only: full_tunnel.hh.
  CHECK(routes(d) == "0.0.0.0/0 table 7120\n10.0.0.0/8 table 7120\n::/0 table 7120\n");
  CHECK(d.rules.size() == 6);
  CHECK(std::ranges::is_sorted(d.rules));
}

TEST_CASE("a default route that is permitted but not there changes nothing") {
  Config c;
  c.routing.allow_default_route = true;
  const auto d = want(peers(peer(1, R"("10.0.0.0/8")")), c);
  CHECK(routes(d) == "10.0.0.0/8 table 254\n");
  CHECK(d.rules.empty());
}

TEST_CASE("a host whose IPv6 is off gets no IPv6 address or route") {
  HostView h;
  h.ipv6 = h.ipv6_stack = false;
  const auto m = peers(peer(1, R"("10.0.0.0/8","2001:db8::/32")"));
  const auto d =
      desired({}, m, SecretKey::generate(), {}, {}, validate({}, m, {}).accepted, h);
  CHECK(d.addresses.size() == 1);
  CHECK(routes(d) == "10.0.0.0/8 table 254\n");
  CHECK(std::ranges::none_of(
      d.routes, [](const Route& r) { return r.destination.family() == Family::v6; }));
}
