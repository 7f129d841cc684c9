// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/client_routes.hh"

#include <algorithm>
#include <random>

#include "agent/model/desired.hh"
#include "agent/model/network_list.hh"
#include "tests/unit/model/maps.hh"

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

struct World {
  Config config{};
  NetworkMap map{};
  NetworkSelection selection{};
  Routers routers{};
  RouteMemory memory{};
  Key own = key(200);

  World() {
    config.routing.allow_default_route = true;
    map.peer_config.address = *InterfaceAddress::parse("100.64.0.1/16");
    map.peer_config.address_v6 = *InterfaceAddress::parse("fd00:77::1/64");
    for (uint8_t n = 1; n <= 4; ++n) {
      RemotePeer p{.key = key(n),
                   .allowed_ips = {Prefix::host(Address::v4(0x64400001u + n))}};
      p.fqdn = *DomainName::parse("peer-" + std::to_string(n) + ".example");
      map.remote_peers.push_back(p);
    }
  }
  World& route(std::string_view net_id, std::string_view network, uint8_t peer,
               uint32_t metric = 9999) {
    map.routes.push_back({.id = "id",
                          .network = *Prefix::parse(network),
                          .peer = key(peer),
                          .metric = metric,
                          .net_id = std::string(net_id)});
    return *this;
  }
  World& up(uint8_t peer, std::chrono::nanoseconds latency = 50ms) {
    routers[key(peer)] = {.connected = true, .latency = latency};
    return *this;
  }
  World& down(uint8_t peer) {
    routers[key(peer)] = {};
    return *this;
  }
  [[nodiscard]] Accepted accepted() const {
    return validate(config, map, {.own_key = own}).accepted;
  }
  ClientRoutes choose() {
    const auto all = accepted();
    auto chosen = choose_routes({.config = &config,
                                 .map = &map,
                                 .accepted = &all,
                                 .own = own,
                                 .selection = &selection,
                                 .routers = &routers,
                                 .previous = &memory});
    memory = chosen.memory;
    return chosen;
  }
};

std::string peer_of(const World& w, const RouteGroup& g) {
  if (!g.route) return "nobody";
  for (uint8_t n = 1; n <= 4; ++n)
    if (w.map.routes[*g.route].peer == key(n)) return "#" + std::to_string(n);
  return "?";
}

// "id via #1: reason", a group a line.
std::string text(World& w) {
  std::string out;
  for (const auto& g : w.choose().groups)
    out += g.id + " via " + peer_of(w, g) + ": " + g.reason + "\n";
  return out;
}

std::string owners(World& w) {
  std::string out;
  for (const auto& [prefix, peer] : w.choose().memory.owners)
    for (uint8_t n = 1; n <= 4; ++n)
      if (peer == key(n)) out += prefix.text() + " #" + std::to_string(n) + "\n";
  return out;
}

}  // namespace

TEST_CASE("a group is NetID and network, and goes through the best routing peer") {
  World w;
  w.route("lan", "10.0.0.0/8", 2, 100).route("lan", "10.0.0.0/8", 1, 200);
  w.route("lan", "10.0.0.0/16", 1).route("wan", "192.0.2.0/24", 3);
  w.up(1).up(2);
  CHECK(text(w) ==
        "lan|10.0.0.0/8 via #2: the best routing peer\n"
        "lan|10.0.0.0/16 via #1: the only routing peer that can be reached\n"
        "wan|192.0.2.0/24 via nobody: no way to any of its routing peers is known yet\n");
  CHECK(owners(w) == "10.0.0.0/8 #2\n10.0.0.0/16 #1\n");
}

TEST_CASE("a connected peer takes over, and stays when the old one is back") {
  World w;
  w.route("lan", "10.0.0.0/8", 1).route("lan", "10.0.0.0/8", 2);
  w.up(1).up(2);
  CHECK(owners(w) == "10.0.0.0/8 #1\n");
  w.down(1);
  CHECK(owners(w) == "10.0.0.0/8 #2\n");
  w.up(1);
  CHECK(text(w) == "lan|10.0.0.0/8 via #2: the best routing peer\n");
  w.up(1, 45ms);
  CHECK(text(w) ==
        "lan|10.0.0.0/8 via #2: kept: no other is better by more than 0.01 points\n");
  w.up(1, 30ms);
  CHECK(owners(w) == "10.0.0.0/8 #1\n");
}

TEST_CASE("with nobody connected the last one keeps the network") {
  World w;
  w.route("lan", "10.0.0.0/8", 1).route("lan", "10.0.0.0/8", 2);
  w.down(1).up(2);
  CHECK(owners(w) == "10.0.0.0/8 #2\n");
  w.down(2);
  CHECK(text(w) == "lan|10.0.0.0/8 via #2: the best routing peer, not connected\n");
  w.routers.clear();
  CHECK(owners(w) == "");
}

TEST_CASE("a peer with two routes to one network counts once, by its better metric") {
  World w;
  w.route("lan", "10.0.0.0/8", 1, 300).route("lan", "10.0.0.0/8", 2, 200);
  w.route("lan", "10.0.0.0/8", 1, 100).up(1).up(2);
  const auto chosen = w.choose();
  REQUIRE(chosen.groups.size() == 1);
  CHECK(chosen.groups[0].candidates == 2);
  CHECK(chosen.groups[0].route == 2);
}

TEST_CASE("one prefix of several networks is with one peer at a time") {
  World w;
  w.route("b", "10.0.0.0/8", 2).up(2);
  CHECK(owners(w) == "10.0.0.0/8 #2\n");
  // Who has it keeps it.
  w.route("a", "10.0.0.0/8", 1).up(1);
  CHECK(text(w) ==
        "a|10.0.0.0/8 via nobody: 10.0.0.0/8 goes through peer-2.example already, for b\n"
        "b|10.0.0.0/8 via #2: the only routing peer that can be reached\n");
  // It goes on to one who wants it when the first no longer does.
  w.selection = *select_networks({}, available_networks(w.map, w.accepted(), w.own),
                                 std::vector<std::string>{"a"}, SelectMode::replace);
  CHECK(owners(w) == "10.0.0.0/8 #1\n");
  w.selection = {};
  CHECK(owners(w) == "10.0.0.0/8 #1\n");
  // A dead owner gives way to a connected one.
  w.down(1);
  CHECK(owners(w) == "10.0.0.0/8 #2\n");
  // Without an owner: the smallest key.
  w.memory = {};
  w.up(1);
  CHECK(owners(w) == "10.0.0.0/8 #1\n");
}

TEST_CASE("two networks may have the same peer for one prefix") {
  World w;
  w.route("a", "10.0.0.0/8", 1).route("b", "10.0.0.0/8", 1).up(1);
  const auto chosen = w.choose();
  CHECK(chosen.groups[0].route == 0);
  CHECK(chosen.groups[1].route == 1);
  CHECK(chosen.memory.owners.size() == 1);
}

TEST_CASE("what the settings, the host or the user do not want has no routing peer") {
  World w;
  w.route("lan", "10.0.0.0/8", 1).route("six", "2001:db8::/32", 1).up(1);
  w.config.disable_ipv6 = true;
  CHECK(text(w) ==
        "lan|10.0.0.0/8 via #1: the only routing peer that can be reached\n"
        "six|2001:db8::/32 via nobody: IPv6 is off (disableIPv6)\n");
  w.config.disable_ipv6 = false;
  w.map.peer_config.address_v6.reset();
  w.selection.deselected = {"lan"};
  CHECK(text(w) ==
        "lan|10.0.0.0/8 via nobody: not selected\n"
        "six|2001:db8::/32 via nobody: this host has no IPv6 address in the overlay\n");
  w.config.routing.disable_client_routes = true;
  CHECK(text(w).find("client routes are off") != std::string::npos);
  CHECK(w.choose().memory.owners.empty());
}

TEST_CASE("of exit nodes one is used, in both families, and it is remembered") {
  World w;
  w.route("x", "0.0.0.0/0", 1).route("x-v6", "::/0", 1).route("y", "0.0.0.0/0", 2);
  w.up(1).up(2);
  CHECK(text(w) ==
        "x|0.0.0.0/0 via #1: the only routing peer that can be reached\n"
        "x-v6|::/0 via #1: the only routing peer that can be reached\n"
        "y|0.0.0.0/0 via nobody: another exit node is in use: x\n");
  CHECK(w.choose().exit_node == "x");
  w.selection.exit_node = "y";
  CHECK(owners(w) == "0.0.0.0/0 #2\n");
  w.map.routes[2].skip_auto_apply = true;
  CHECK(owners(w) == "0.0.0.0/0 #1\n::/0 #1\n");
  CHECK(text(w).find("y|0.0.0.0/0 via nobody: does not apply until it is selected\n") !=
        std::string::npos);
}

TEST_CASE("an exit node that fails hands over within its network only") {
  World w;
  w.route("x", "0.0.0.0/0", 1).route("x", "0.0.0.0/0", 2).route("y", "0.0.0.0/0", 3);
  w.up(1).up(2).up(3);
  CHECK(owners(w) == "0.0.0.0/0 #1\n");
  w.down(1);
  CHECK(owners(w) == "0.0.0.0/0 #2\n");
  w.down(2);
  CHECK(owners(w) == "0.0.0.0/0 #2\n");
}

TEST_CASE("refused and own routes are in no group") {
  World w;
  w.route("lan", "127.0.0.0/8", 1).route("mine", "10.0.0.0/8", 200).up(1);
  w.map.routes.push_back({.peer = key(1), .net_id = "domain"});
  CHECK(w.choose().groups.empty());
  CHECK(available_networks(w.map, w.accepted(), w.own).empty());
}

TEST_CASE("peers are contested when a prefix has another way") {
  World w;
  w.route("a", "10.0.0.0/8", 1).route("a", "10.0.0.0/8", 2);
  w.route("b", "10.1.0.0/16", 3).route("c", "10.1.0.0/16", 2);
  w.route("d", "10.2.0.0/16", 4);
  CHECK(w.choose().contested == std::vector{key(1), key(2), key(3)});
  w.selection.deselected_all = true;
  CHECK(w.choose().contested.empty());
}

TEST_CASE("jitter and the order of the map move nothing") {
  World w;
  for (uint8_t n = 1; n <= 4; ++n) w.route("lan", "10.0.0.0/8", n, 100).up(n);
  const auto first = owners(w);
  std::mt19937 random(3);
  std::uniform_int_distribution<int64_t> jitter(-5'000'000, 5'000'000);
  for (int i = 0; i < 300; ++i) {
    std::ranges::shuffle(w.map.routes, random);
    for (uint8_t n = 1; n <= 4; ++n)
      w.up(n, 50ms + std::chrono::nanoseconds(jitter(random)));
    REQUIRE(owners(w) == first);
  }
}

TEST_CASE("the routing peer is allowed the network, and the kernel gets its route") {
  World w;
  w.config.routing.allow_default_route = false;
  w.route("lan", "10.0.0.0/8", 2).route("six", "2001:db8::/32", 2).up(2);
  w.map.remote_peers.clear();
  for (uint8_t n = 1; n <= 4; ++n) {
    RemotePeer p{.key = key(n),
                 .allowed_ips = {Prefix::host(Address::v4(0x64400001u + n))}};
    if (n == 2) p.allowed_ips.push_back(*Prefix::parse("10.0.0.0/8"));
    w.map.remote_peers.push_back(p);
  }
  const auto d = desired(w.config, w.map, SecretKey::generate(), {}, {}, w.accepted(), {},
                         w.choose());
  REQUIRE(d.peers.size() == 4);
  CHECK(d.peers[0].allowed_ips == std::vector{*Prefix::parse("100.64.0.2/32")});
  CHECK(d.peers[1].allowed_ips == std::vector{*Prefix::parse("10.0.0.0/8"),
                                              *Prefix::parse("100.64.0.3/32"),
                                              *Prefix::parse("2001:db8::/32")});
  auto routes = d.routes;
  std::erase_if(routes, [](const Route& r) { return r.type != Route::Type::unicast; });
  REQUIRE(routes.size() == 2);
  CHECK(routes[0].destination == *Prefix::parse("10.0.0.0/8"));
  CHECK(routes[0].table == RT_TABLE_MAIN);
  CHECK(routes[1].destination == *Prefix::parse("2001:db8::/32"));
}

TEST_CASE("a path is a session, or an endpoint to try") {
  World w;
  for (uint8_t n = 1; n <= 4; ++n) w.route("lan", "10.0.0.0/8", n);
  KnownDevice device;
  for (uint8_t n = 1; n <= 3; ++n)
    device.peers.push_back({.public_key = key(n), .session = n != 2});
  device.peers[2].endpoint = 1;
  // Three handshakes are fresh but the third peer is silent.
  std::map<Key, Liveness> liveness;
  auto& third = liveness[key(3)];
  PeerStats stats{};
  third.update({}, stats, 0s);
  stats.tx_bytes = 1'000;
  third.update({}, stats, 0s);
  third.update(Liveness::Clock::time_point(20s), stats, 0s);
  w.map.remote_peers.clear();
  for (uint8_t n = 1; n <= 4; ++n) {
    RemotePeer p{.key = key(n)};
    if (n == 4) p.endpoints.emplace_back(HostPort{"host.example", 1});
    w.map.remote_peers.push_back(p);
  }
  auto accepted = w.accepted();
  auto routers = routers_of(w.map, accepted, device, liveness);
  REQUIRE(routers.size() == 3);
  CHECK(routers.at(key(1)).connected);
  CHECK_FALSE(routers.at(key(3)).connected);
  CHECK_FALSE(routers.at(key(4)).connected);
  accepted.peers[0] = false;
  CHECK_FALSE(routers_of(w.map, accepted, device, liveness).contains(key(1)));
}

TEST_CASE("the list has every network of others, also those that are refused") {
  World w;
  w.route("lan", "10.0.0.0/8", 1)
      .route("lan", "10.0.0.0/8", 2)
      .route("lan", "10.9.0.0/16", 3);
  w.route("bad", "127.0.0.0/8", 1).route("mine", "192.0.2.0/24", 200).up(1).up(3);
  w.map.routes.push_back({.network = *Prefix::parse("192.0.2.0/32"),
                          .peer = key(1),
                          .net_id = "sites",
                          .domains = {*DomainName::parse("a.example")}});
  const auto chosen = w.choose();
  const auto list = list_networks(w.map, w.accepted(), w.own, chosen);
  REQUIRE(list.size() == 3);
  CHECK(list[0].id == "bad");
  CHECK_FALSE(list[0].selected);
  CHECK(list[0].reason == "refused in part or whole; status says why");
  CHECK(list[1].id == "lan");
  CHECK(list[1].networks ==
        std::vector{*Prefix::parse("10.0.0.0/8"), *Prefix::parse("10.9.0.0/16")});
  CHECK(list[1].selected);
  CHECK(list[1].reason.empty());
  CHECK(list[2].domains == std::vector{*DomainName::parse("a.example")});
  CHECK(list[2].networks.empty());
  CHECK(served_networks(w.map, w.accepted(), w.own) ==
        std::vector{*Prefix::parse("192.0.2.0/24")});
}
