// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "agent/model/validate.hh"
#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

Key own() { return key(200); }

std::string route(std::string_view net_id, std::string_view network, const Key& peer,
                  std::string_view more = "") {
  return R"({"NetID":")" + std::string(net_id) + R"(","Network":")" +
         std::string(network) + R"(","Peer":")" + peer.text() + '"' + std::string(more) +
         "}";
}

const std::string kPeers =
    peer(1, R"("100.64.0.2/32")") + "," + peer(2, R"("100.64.0.3/32","10.9.0.0/16")");

NetworkMap with(const std::string& peers, const std::string& routes) {
  return map_of(R"("remotePeers":[)" + peers + R"(],"offlinePeers":[)" +
                peer(3, R"("100.64.0.4/32")") + R"(],"Routes":[)" + routes + "]");
}

std::string judged(const NetworkMap& m, const Config& c = {}, const HostView* host = {},
                   MapContext context = {}) {
  context.own_key = own();
  auto v = validate(c, m, context);
  if (host) validate_on_host(c, m, context, *host, v);
  std::string out = v.errors.text();
  for (const auto& r : v.refusals) out += r.what + ": " + r.reason + "\n";
  for (uint8_t n = 1; n < 4; ++n)
    for (size_t at; (at = out.find(key(n).text())) != out.npos;)
      out.replace(at, 44, "#" + std::to_string(n));
  return out;
}

}  // namespace

TEST_CASE("one network through several peers is not an error") {
  CHECK(judged(with(kPeers, route("n", "10.0.0.0/8", key(1)) + "," +
                                route("n", "10.0.0.0/8", key(2)) + "," +
                                route("m", "10.0.0.0/8", key(2)))) == "");
}

TEST_CASE("a domain route is refused by name, with or without a placeholder") {
  CHECK(judged(with(
            kPeers,
            R"({"NetID":"d","NetworkType":3,"Domains":["a.example"],"Peer":)" + k(1) +
                "}," + route("e", "192.0.2.0/32", key(1), R"(,"Domains":["b.example"])") +
                "," + route("n", "10.0.0.0/8", key(1)))) ==
        "route d: domain routes are not built yet\n"
        "route e: domain routes are not built yet\n");
}

TEST_CASE("a route through nobody, or through a refused peer, is refused alone") {
  CHECK(judged(with(kPeers, route("n", "10.0.0.0/8", key(7)) + "," +
                                route("m", "10.1.0.0/16", Key{}) + "," +
                                route("offline", "10.2.0.0/16", key(3)))) ==
        "route n: its routing peer is not in the map\n"
        "route m: its routing peer is not in the map\n");
  CHECK(judged(with(peer(1, "", R"(,"endpoint":"100.64.0.9:1")"),
                    route("n", "10.0.0.0/8", key(1)))) ==
        "peer #1: its endpoint 100.64.0.9 is inside the tunnel (100.64.0.0/16)\n"
        "route n: its routing peer is refused\n");
}

TEST_CASE("also through one that only this host refuses") {
  HostView host;
  host.links = {{.index = IfIndex{2}, .name = "eth0"}};
  host.addresses = {{IfIndex{2}, *InterfaceAddress::parse("192.168.1.10/24")}};
  CHECK(judged(with(peer(1, R"("192.168.1.0/25")"), route("n", "10.0.0.0/8", key(1))), {},
               &host) ==
        "192.168.1.0/25 of peer #1: overlaps 192.168.1.0/24, the network of eth0\n"
        "peer #1: none of its allowed IPs can be used\n"
        "route n: its routing peer is refused\n");
}

TEST_CASE("a prefix that is some peer's own is not routed through another") {
  CHECK(judged(with(kPeers, route("n", "10.9.0.0/16", key(1)) + "," +
                                route("n", "10.9.0.0/16", key(2)) + "," +
                                route("wide", "10.8.0.0/15", key(1)) + "," +
                                route("narrow", "10.9.7.0/24", key(1)))) ==
        "route n: 10.9.0.0/16 is an allowed IP of another peer, #2\n");
}

TEST_CASE("a route into the overlay is refused, one that covers it is not") {
  CHECK(judged(with(kPeers, route("n", "100.64.7.0/24", key(1)) + "," +
                                route("all", "100.64.0.0/16", key(1)) + "," +
                                route("v6", "fd00:77::/64", key(1)) + "," +
                                route("wide", "100.0.0.0/8", key(1)))) ==
        "route n: in 100.64.0.0/16, the overlay itself\n"
        "route all: in 100.64.0.0/16, the overlay itself\n"
        "route v6: in fd00:77::/64, the overlay itself\n");
  CHECK(judged(with(kPeers, route("serves", "100.64.7.0/24", own()))) == "");
}

TEST_CASE("a route that holds an endpoint is refused, and the peer is not") {
  const auto peers = peer(1, R"("100.64.0.2/32")", R"(,"endpoint":"192.0.2.7:1")") + "," +
                     peer(2, R"("100.64.0.3/32")", R"(,"endpoint":"a.example:1")");
  const auto m = with(peers, route("n", "192.0.2.0/24", key(2)) + "," +
                                 route("m", "198.51.100.0/24", key(1)));
  CHECK(judged(m) == "route n: holds 192.0.2.7, the endpoint of peer #1\n");
  MapContext context;
  context.resolved[{"a.example", 1}] = {*Endpoint::parse("198.51.100.9:1")};
  CHECK(judged(m, {}, nullptr, context) ==
        "route n: holds 192.0.2.7, the endpoint of peer #1\n"
        "route m: holds 198.51.100.9, the endpoint of peer #2\n");
  Config full;
  full.routing.allow_default_route = true;
  CHECK(judged(m, full) == "route n: holds 192.0.2.7, the endpoint of peer #1\n");
  CHECK(judged(with(peers, route("n", "192.0.2.0/24", key(2)) + "," +
                               route("all", "0.0.0.0/0", key(1))),
               full) == "");
}
