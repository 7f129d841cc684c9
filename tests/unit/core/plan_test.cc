// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/plan.hh"

#include <catch2/catch.hpp>

#include "agent/base/digest.hh"
#include "tests/unit/core/make.hh"

using namespace wigeon;
using namespace wigeon::make;
using namespace std::chrono_literals;

namespace {

std::string planned(const Desired& d, const Observed& o) {
  const auto ops = plan(d, o);
  return ops ? text(*ops) : "error: " + ops.error().what;
}

const std::string kA = key(1).text(), kB = key(2).text(), kC = key(3).text();

}  // namespace

TEST_CASE("from nothing: link, device and peers, addresses, up, routes") {
  const auto d =
      desired({peer(1, {"100.64.0.2/32"}, "192.0.2.1:51820"), peer(2, {"10.9.0.0/16"})},
              {"10.9.0.0/16"});
  CHECK(planned(d, {}) ==
        "link add wt0 type wireguard\n"
        "link set wt0 mtu 1280\n"
        "wg set wt0 private-key (hidden) listen-port 51820 fwmark 113920\n"
        "wg set wt0 peer " +
            kA +
            " add endpoint 192.0.2.1:51820 persistent-keepalive 25"
            " allowed-ips 100.64.0.2/32\n"
            "wg set wt0 peer " +
            kB +
            " add persistent-keepalive 25 allowed-ips 10.9.0.0/16\n"
            "address add 100.64.0.1/16 dev wt0\n"
            "link set wt0 up\n"
            "route add 10.9.0.0/16 dev wt0\n");
}

TEST_CASE("nothing differs, nothing is done") {
  const auto d =
      desired({peer(1, {"100.64.0.2/32"}, "192.0.2.1:51820")}, {"10.9.0.0/16"});
  CHECK(planned(d, applied(d)).empty());
}

TEST_CASE("plan adds what is missing before it removes what is stale") {
  CHECK(planned(desired({}, {"10.0.0.0/8"}), applied(desired({}, {"10.2.0.0/16"}))) ==
        "route add 10.0.0.0/8 dev wt0\n"
        "route del 10.2.0.0/16 dev wt0\n");
}

TEST_CASE("only changed peers are touched, in place") {
  const auto before = desired({peer(1, {"100.64.0.2/32"}), peer(2, {"100.64.0.3/32"})});
  const auto after =
      desired({peer(1, {"100.64.0.2/32"}), peer(2, {"100.64.0.3/32", "10.0.0.0/8"}),
               peer(3, {"100.64.0.4/32"})});
  CHECK(planned(after, applied(before)) ==
        "wg set wt0 peer " + kB +
            " allowed-ips 10.0.0.0/8,100.64.0.3/32\n"
            "wg set wt0 peer " +
            kC + " add persistent-keepalive 25 allowed-ips 100.64.0.4/32\n");
  CHECK(planned(before, applied(after)) == "wg set wt0 peer " + kB +
                                               " allowed-ips 100.64.0.3/32\n"
                                               "wg set wt0 peer " +
                                               kC + " remove\n");
}

TEST_CASE("a peer that roamed keeps its endpoint while its session is fresh") {
  const auto d = desired({peer(1, {"100.64.0.2/32"}, "192.0.2.1:51820")});
  auto o = applied(d);
  o.device.peers[0].endpoint = digest(std::optional(endpoint("198.51.100.7:40000")));
  o.device.peers[0].session = true;
  CHECK(planned(d, o).empty());
  o.device.peers[0].session = false;
  CHECK(planned(d, o) == "wg set wt0 peer " + kA + " endpoint 192.0.2.1:51820\n");
}

TEST_CASE("never is not a fresh handshake, whatever the clock says") {
  ObservedDevice device;
  device.peers.push_back({.peer = peer(1, {"100.64.0.2/32"})});
  using Time = std::chrono::system_clock::time_point;
  CHECK_FALSE(known(device, Time(60s)).peers[0].session);
  device.peers[0].stats.last_handshake = Time(1'000'000s);
  CHECK(known(device, Time(1'000'179s)).peers[0].session);
  CHECK_FALSE(known(device, Time(1'000'180s)).peers[0].session);
}

TEST_CASE("an endpoint that the map changed is set though the session is fresh") {
  auto d = desired({peer(1, {"100.64.0.2/32"}, "192.0.2.1:51820")});
  auto o = applied(d);
  o.device.peers[0].session = true;
  d.peers[0].endpoint = endpoint("192.0.2.99:51820");
  CHECK(planned(d, o) == "wg set wt0 peer " + kA + " endpoint 192.0.2.99:51820\n");
}

TEST_CASE("a preshared key is set, changed and taken away without being printed") {
  auto d = desired({peer(1, {"100.64.0.2/32"})});
  const auto without = applied(d);
  d.peers[0].preshared_key = secret(9);
  CHECK(planned(d, without) == "wg set wt0 peer " + kA + " preshared-key (hidden)\n");
  auto with = applied(d);
  d.peers[0].preshared_key = {};
  CHECK(planned(d, with) == "wg set wt0 peer " + kA + " preshared-key none\n");
}

TEST_CASE("an address of the same network is removed before its successor comes") {
  auto d = desired();
  const auto before = applied(d);
  d.addresses = {address("100.64.0.9/16"), address("fd00::9/64")};
  CHECK(planned(d, before) ==
        "address add fd00::9/64 dev wt0\n"
        "address del 100.64.0.1/16 dev wt0\n"
        "address add 100.64.0.9/16 dev wt0\n");
}

TEST_CASE("a link set down, or with another MTU, port or mark, is put right") {
  const auto d = desired();
  auto o = applied(d);
  o.link->up = false;
  o.link->mtu = 1420;
  o.device.listen_port = 4;
  o.device.fwmark = 0;
  CHECK(planned(d, o) ==
        "link set wt0 mtu 1280\n"
        "wg set wt0 listen-port 51820 fwmark 113920\n"
        "link set wt0 up\n");
}

TEST_CASE("a foreign link of our name is an error and stays") {
  const auto d = desired();
  auto o = applied(d);
  o.link_is_ours = false;
  o.link->kind = "dummy";
  CHECK(planned(d, o) ==
        "error: a link of that name exists and is not ours (kind dummy); remove it "
        "or set "
        "interfaceName");
  Desired nothing = d;
  nothing.up = false;
  o.routes.clear();
  CHECK(planned(nothing, o).empty());
}

TEST_CASE("another kind of tunnel means another link") {
  auto d = desired({peer(1, {"100.64.0.2/32"})}, {"10.0.0.0/8"});
  const auto o = applied(d);
  d.link_kind = "tun";
  const auto t = planned(d, o);
  CHECK(t.starts_with("link del wt0\nlink add wt0 type tun\n"));
  CHECK(t.find("peer " + kA + " add") != std::string::npos);
  CHECK(t.ends_with("link set wt0 up\nroute add 10.0.0.0/8 dev wt0\n"));
}

TEST_CASE("down takes routes, then peers, then the link, and only ours") {
  auto d = desired({peer(1, {"100.64.0.2/32"})}, {"10.0.0.0/8"});
  auto o = applied(d);
  Rule rule{.priority = 105, .table = 7120, .protocol = 89};
  o.rules = {rule};
  d.up = false;
  CHECK(planned(d, o) ==
        "rule del pref 105 lookup 7120\n"
        "route del 10.0.0.0/8 dev wt0\n"
        "wg set wt0 replace-peers\n"
        "link del wt0\n");
  CHECK(planned(d, {}).empty());
}

TEST_CASE(
    "a sysctl is written once, put back in reverse, and left when others changed it") {
  auto d = desired();
  d.sysctls = {{"net/a", "2"}, {"net/b", "1"}};
  auto o = applied(d);
  o.sysctls = {{.key = "net/a", .value = "1"}, {.key = "net/b", .value = "1"}};
  CHECK(planned(d, o) == "sysctl net/a=2\n");
  o.sysctls = {{.key = "net/a", .value = "2", .original = "1", .ours = "2"},
               {.key = "net/b", .value = "1", .original = "0", .ours = "1"}};
  CHECK(planned(d, o).empty());
  d.sysctls.clear();
  CHECK(planned(d, o) == "sysctl net/b=0\nsysctl net/a=1\n");
  o.sysctls[0].value = "7";
  o.sysctls[1].value.reset();
  CHECK(planned(d, o) == "sysctl net/b left as it is\nsysctl net/a left as it is\n");
}

TEST_CASE("the nftables table is made before the link is up, and goes last") {
  auto d = desired();
  d.nft = "table inet wigeon {}";
  const auto up = planned(d, {});
  CHECK(up.find("nft replace table\n") < up.find("link set wt0 up\n"));
  auto o = applied(d);
  CHECK(planned(d, o) == "nft replace table\n");
  o.nft = digest(d.nft);
  CHECK(planned(d, o).empty());
  o.nft = 0;
  CHECK(planned(d, o) == "nft replace table\n");
  d.up = false;
  CHECK(planned(d, o) == "link del wt0\nnft delete table\n");
}

TEST_CASE("what a sysctl changes along is put back, and not what is ours anyway") {
  const std::string all = "net/ipv6/conf/all/forwarding";
  auto d = desired();
  d.sysctls = {{all, "1"}, {"net/ipv6/conf/eth0/forwarding", "1"}};
  auto o = applied(d);
  o.sysctls = {{.key = all,
                .value = "0",
                .along = {{"net/ipv6/conf/eth0/forwarding", "0"},
                          {"net/ipv6/conf/eth1/forwarding", "0"},
                          {"net/ipv6/conf/eth2/forwarding", "1"}}},
               {.key = "net/ipv6/conf/eth0/forwarding", .value = "0"}};
  const auto ops = plan(d, o);
  REQUIRE(ops);
  REQUIRE(ops->size() == 2);
  CHECK(std::get<op::SysctlSet>((*ops)[1]).along ==
        std::vector<Sysctl>{{"net/ipv6/conf/eth1/forwarding", "0"}});
}
