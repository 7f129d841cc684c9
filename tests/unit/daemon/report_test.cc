// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/report.hh"

#include <algorithm>

#include "tests/unit/model/maps.hh"

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

const WallTime kNow{std::chrono::seconds(1'800'000'000)};

// A host in full work, of which each test changes what it is about.
struct Host {
  Config config{};
  NetworkMap map{};
  ObservedDevice device{};
  PeerHistory history{};
  ReportInput in{};

  explicit Host(std::string_view members) : map(map_of(members)) {
    in = {.config = &config,
          .map = &map,
          .device = &device,
          .history = &history,
          .up = true,
          .applied = true};
  }
  void have(uint8_t n, WallTime handshake, std::string_view endpoint = "") {
    ObservedPeer p;
    p.peer.public_key = key(n);
    if (!endpoint.empty()) p.peer.endpoint = *Endpoint::parse(endpoint);
    p.stats = {.last_handshake = handshake, .rx_bytes = 100, .tx_bytes = 200};
    device.peers.push_back(p);
  }
  [[nodiscard]] StatusReport report() const { return make_report(in, kNow); }
};

const PeerStatus& status_of(const StatusReport& r, uint8_t n) {
  const auto at = std::ranges::find(r.peers.details, key(n), &PeerStatus::public_key);
  REQUIRE(at != r.peers.details.end());
  return *at;
}

std::string two_peers() {
  return R"("remotePeers":[)" + peer(1, R"("100.64.0.9/32","fd00:77::9/128")") + "," +
         peer(2, R"("100.64.0.8/32","10.0.0.0/8")", R"(,"fqdn":"b.example")") + "]";
}

}  // namespace

TEST_CASE("a peer is connected for 180 s after a handshake") {
  ObservedPeer p;
  p.peer.endpoint = *Endpoint::parse("192.0.2.1:51820");
  const auto after = [&](std::chrono::seconds age) {
    p.stats.last_handshake = kNow - age;
    return peer_state(&p, kNow);
  };
  CHECK(after(0s) == PeerState::connected);
  CHECK(after(179s) == PeerState::connected);
  CHECK(after(180s) == PeerState::connecting);
}

TEST_CASE(
    "a peer without a handshake connects when it has an endpoint and is idle else") {
  ObservedPeer p;
  CHECK(peer_state(&p, kNow) == PeerState::idle);
  p.peer.endpoint = *Endpoint::parse("192.0.2.1:51820");
  CHECK(peer_state(&p, kNow) == PeerState::connecting);
  CHECK(peer_state(nullptr, kNow) == PeerState::idle);
}

TEST_CASE("only a connected peer has a connection and its endpoint") {
  Host h(two_peers());
  h.have(1, kNow - 10s, "192.0.2.1:51820");
  h.have(2, kNow - 10min, "192.0.2.2:51820");
  const auto r = h.report();
  CHECK(r.peers.total == 2);
  CHECK(r.peers.connected == 1);
  const auto& one = status_of(r, 1);
  CHECK(one.state == PeerState::connected);
  CHECK(one.connection == ConnectionType::p2p);
  CHECK(one.ice_candidate_endpoint.remote == "192.0.2.1:51820");
  CHECK(one.received == 100);
  CHECK(one.sent == 200);
  const auto& two = status_of(r, 2);
  CHECK(two.state == PeerState::connecting);
  CHECK(two.connection == ConnectionType::none);
  CHECK(two.ice_candidate_endpoint.remote.empty());
  CHECK(two.last_handshake == kNow - 10min);
}

TEST_CASE("a peer's addresses are its host prefixes, the first of each family") {
  Host h(two_peers());
  const auto r = h.report();
  CHECK(status_of(r, 1).ip->text() == "100.64.0.9");
  CHECK(status_of(r, 1).ipv6->text() == "fd00:77::9");
  CHECK(status_of(r, 2).ip->text() == "100.64.0.8");
  CHECK_FALSE(status_of(r, 2).ipv6);
}

TEST_CASE("peers are listed by address, offline ones among them and idle") {
  Host h(two_peers() + R"(,"offlinePeers":[)" + peer(3, R"("100.64.0.2/32")") + "]");
  h.have(3, kNow, "192.0.2.3:51820");  // even were it there
  const auto r = h.report();
  REQUIRE(r.peers.details.size() == 3);
  CHECK(r.peers.details[0].public_key == key(3));
  CHECK(r.peers.details[1].public_key == key(2));
  CHECK(r.peers.details[2].public_key == key(1));
  CHECK(r.peers.details[0].state == PeerState::idle);
  CHECK(r.map.peers == 2);
  CHECK(r.map.offline_peers == 1);
}

TEST_CASE("after down the daemon is idle, without addresses, and so is each peer") {
  Host h(two_peers());
  h.have(1, kNow, "192.0.2.1:51820");
  h.in.up = false;
  const auto r = h.report();
  CHECK(r.daemon_status == DaemonStatus::idle);
  CHECK_FALSE(r.ip);
  CHECK_FALSE(r.ipv6);
  CHECK(r.peers.connected == 0);
  CHECK(status_of(r, 1).state == PeerState::idle);
}

TEST_CASE("the daemon is connecting until the map is wholly in force") {
  Host h(two_peers());
  CHECK(h.report().daemon_status == DaemonStatus::connected);
  CHECK(h.report().ip->text() == "100.64.0.1/16");
  CHECK(h.report().ipv6->text() == "fd00:77::1/64");
  h.in.applied = false;
  CHECK(h.report().daemon_status == DaemonStatus::connecting);
}

TEST_CASE("IPv6 that the settings disable is not reported as ours") {
  Host h(two_peers());
  h.config.disable_ipv6 = true;
  CHECK_FALSE(h.report().ipv6);
}

TEST_CASE("without a map there is a report, and management is not connected") {
  Host h("");
  h.in.map = nullptr;
  h.in.applied = false;
  h.in.map_status.error = "/etc/map: No such file or directory";
  const auto r = h.report();
  CHECK(r.daemon_status == DaemonStatus::connecting);
  CHECK_FALSE(r.management.connected);
  CHECK(r.management.error == h.in.map_status.error);
  CHECK(r.peers.total == 0);
  CHECK_FALSE(r.ip);
}

TEST_CASE(
    "a refused map leaves management disconnected though an older one is in force") {
  Host h(two_peers());
  CHECK(h.report().management.connected);
  h.in.map_status.error = "refused";
  CHECK_FALSE(h.report().management.connected);
}

TEST_CASE("a nameserver group is available until its servers are seen dead") {
  const auto group = [](const char* ip, const char* domain) {
    return std::string(R"({"NameServers":[{"IP":")") + ip +
           R"(","NSType":1,"Port":53}],"Domains":[")" + domain + R"("]})";
  };
  Host h(R"("DNSConfig":{"ServiceEnable":true,"NameServerGroups":[)" +
         group("192.0.2.53", "a.example") + "," + group("192.0.2.54", "b.example") + "," +
         group("192.0.2.55", "c.example") + "]}");
  h.in.dns.groups = {{.health = "unknown"},
                     {.health = "unhealthy", .reason = "no reply"},
                     {.health = "healthy"},
                     {.original = true, .health = "unhealthy"}};
  auto r = h.report();
  REQUIRE(r.nameservers.size() == 3);
  CHECK(r.nameservers[0].servers == std::vector<std::string>{"192.0.2.53:53"});
  CHECK(r.nameservers[0].domains == std::vector<std::string>{"a.example"});
  CHECK(r.nameservers[0].enabled);
  CHECK_FALSE(r.nameservers[1].enabled);
  CHECK(r.nameservers[1].error == "no reply");
  CHECK(r.nameservers[2].enabled);
  CHECK(r.nameservers[2].error.empty());

  h.in.dns.groups = {{.original = true}};
  r = h.report();
  CHECK_FALSE(r.nameservers[0].enabled);
  CHECK(r.nameservers[0].error == "no resolver asks it");
  h.map.dns.service_enable = false;
  r = h.report();
  CHECK(r.nameservers[0].error == "the map switches DNS off");
}

TEST_CASE("a network shows the peer it goes through, there and at the peer") {
  Host h(two_peers() + R"(,"Routes":[{"ID":"r1","NetID":"lan","Network":"10.1.0.0/16",)" +
         R"("Peer":)" + k(2) + "}]");
  ClientRoutes routes;
  routes.groups.push_back({.id = "lan|10.1.0.0/16",
                           .network_id = "lan",
                           .network = *Prefix::parse("10.1.0.0/16"),
                           .selected = true,
                           .candidates = 1,
                           .route = 0,
                           .reason = "the only one"});
  routes.memory.owners[*Prefix::parse("10.1.0.0/16")] = key(2);
  h.in.client_routes = &routes;
  h.in.served = {"192.168.1.0/24"};
  const auto r = h.report();
  REQUIRE(r.routing.groups.size() == 1);
  CHECK(r.routing.groups[0].peer == "b.example");
  CHECK(status_of(r, 2).networks == std::vector<std::string>{"10.1.0.0/16"});
  CHECK(status_of(r, 1).networks.empty());
  CHECK(r.networks == std::vector<std::string>{"192.168.1.0/24"});
}

TEST_CASE(
    "a map that replaced the one the routes were chosen from is not asked for them") {
  Host h(two_peers());  // its routes are gone; the next reconcile chooses anew
  ClientRoutes routes;
  const auto lan = *Prefix::parse("10.1.0.0/16");
  routes.groups.push_back(
      {.id = "lan|10.1.0.0/16", .network_id = "lan", .network = lan, .route = 4});
  routes.memory.owners[lan] = key(2);
  h.in.client_routes = &routes;
  CHECK(h.report().routing.groups.at(0).peer == "b.example");
}

TEST_CASE("a repair is told by its number of operations and the first of them") {
  CHECK(repair_text(1, "route add 10.0.0.0/8 dev wt0\n") ==
        "route add 10.0.0.0/8 dev wt0");
  CHECK(repair_text(3, "link add wt0\nlink up wt0\nroute add 10.0.0.0/8 dev wt0\n") ==
        "3 operations, first: link add wt0");
}

TEST_CASE("what is left after down is told in one sentence") {
  CHECK(left_over_text({"nft delete table: EPERM", "sysctl a=1: EROFS"}) ==
        "disconnected, but left on this host and to be tried again: "
        "nft delete table: EPERM; sysctl a=1: EROFS");
}
