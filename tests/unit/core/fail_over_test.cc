// SPDX-License-Identifier: GPL-2.0-or-later
// From a routing peer that fell silent to the one message that moves its networks.
#include <catch2/catch.hpp>

#include "agent/core/plan.hh"
#include "agent/model/client_routes.hh"
#include "agent/model/desired.hh"
#include "tests/unit/core/make.hh"

using namespace wigeon;
using namespace wigeon::make;
using namespace std::chrono_literals;

namespace {

struct Host {
  Config config{};
  NetworkMap map{};
  SecretKey own = secret(9);
  RouteMemory memory{};

  explicit Host(uint8_t peers) {
    map.peer_config.address = address("100.64.0.1/16");
    for (uint8_t n = 1; n <= peers; ++n)
      map.remote_peers.push_back(
          {.key = key(n), .allowed_ips = {Prefix::host(Address::v4(0x64400001u + n))}});
  }

  Desired want(const Routers& routers) {
    const auto accepted = validate(config, map, {.own_key = own.public_key()}).accepted;
    const NetworkSelection selection;
    const auto chosen = choose_routes({.config = &config,
                                       .map = &map,
                                       .accepted = &accepted,
                                       .own = own.public_key(),
                                       .selection = &selection,
                                       .routers = &routers,
                                       .previous = &memory});
    memory = chosen.memory;
    return wigeon::desired(config, map, own, {}, {}, accepted, {}, chosen);
  }
};

}  // namespace

TEST_CASE("a fail-over is one message about two peers, and no route changes") {
  Host host(20);
  for (const uint8_t n : {uint8_t{5}, uint8_t{15}}) {
    for (const char* network : {"10.0.0.0/8", "192.0.2.0/24", "10.1.0.0/16"})
      host.map.routes.push_back(
          {.network = prefix(network), .peer = key(n), .net_id = network});
    host.map.routes.push_back(
        {.network = prefix("198.51.100.0/24"), .peer = key(7), .net_id = "other"});
  }
  const RoutePath up{.connected = true}, down{};
  const auto before = host.want({{key(5), up}, {key(7), up}, {key(15), up}});
  const auto after = host.want({{key(5), down}, {key(7), up}, {key(15), up}});
  const auto ops = plan(after, applied(before));
  REQUIRE(ops);
  REQUIRE(ops->size() == 1);
  const auto* set = std::get_if<op::SetDevice>(&ops->front());
  REQUIRE(set);
  CHECK(text(*ops) == "wg set wt0 peer " + key(5).text() +
                          " allowed-ips 100.64.0.6/32\n"
                          "wg set wt0 peer " +
                          key(15).text() +
                          " allowed-ips 10.0.0.0/8,10.1.0.0/16,100.64.0.16/32,"
                          "192.0.2.0/24\n");
  CHECK_FALSE(set->change.private_key);
  CHECK_FALSE(set->change.replace_peers);
  // And back, the other way round in the message.
  const auto back = host.want({{key(5), up}, {key(7), up}, {key(15), down}});
  const auto again = plan(back, applied(after));
  REQUIRE(again);
  REQUIRE(again->size() == 1);
  CHECK(std::get<op::SetDevice>(again->front()).change.peers.size() == 2);
  CHECK(plan(back, applied(back))->empty());
}
