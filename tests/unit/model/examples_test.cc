// SPDX-License-Identifier: GPL-2.0-or-later
// The examples and NetBird's map are what people start from, so they must hold.
#include <algorithm>

#include "agent/model/desired.hh"
#include "agent/model/load_config.hh"
#include "agent/model/nft_table.hh"
#include "agent/model/zones.hh"
#include "tests/unit/model/maps.hh"

using namespace wigeon;

TEST_CASE("the example settings load") {
  Config c;
  Problems p;
  apply_file(c, p, source_file("scripts/examples/config.json"), "config.json");
  settle(c, p);
  CHECK(p.text() == "");
}

TEST_CASE("the example map is valid and brings up one peer") {
  const auto m = decoded(source_file("scripts/examples/network_map.json"));
  const auto v = validate({}, m, {.own_key = SecretKey::generate().public_key()});
  CHECK(v.errors.text() == "");
  CHECK(v.refusals.empty());
  const auto d = desired({}, m, SecretKey::generate(), {}, {}, v.accepted);
  REQUIRE(d.peers.size() == 1);
  CHECK(d.peers[0].endpoint);
  // No more than that the overlay is closed.
  CHECK(std::ranges::none_of(
      d.routes, [](const Route& r) { return r.type == Route::Type::unicast; }));
  CHECK(dns_zones({}, m).size() == 2);
}

TEST_CASE(
    "the example map with routes needs consent for its exit node and nothing else") {
  const auto m = decoded(source_file("scripts/examples/routed_network_map.json"));
  const Key own = SecretKey::generate().public_key();
  const auto v = validate({}, m, {.own_key = own});
  CHECK(v.errors.text() == "");
  REQUIRE(v.refusals.size() == 1);
  CHECK(v.refusals[0].pointer == "/Routes/2");
  Config c;
  c.routing.allow_default_route = true;
  const auto consented = validate(c, m, {.own_key = own});
  CHECK(consented.refusals.empty());
  const auto nft = nft_table(c, m, own, consented.accepted, FullTunnel::on);
  CHECK(nft.refusals.empty());
  CHECK(nft.table.dnat.size() == 1);
}

TEST_CASE("a debug bundle's map is valid but for its exit node and domain route") {
  const auto m =
      decoded(source_file("tests/unit/model/data/debug_bundle_network_map.json"));
  const auto v = validate({}, m, {.own_key = SecretKey::generate().public_key()});
  CHECK(v.errors.text() == "");
  REQUIRE(v.refusals.size() == 2);
  CHECK(v.refusals[0].pointer == "/Routes/2");
  CHECK(v.refusals[0].reason == "domain routes are not built yet");
  CHECK(v.refusals[1].pointer == "/Routes/3");
  CHECK(desired({}, m, SecretKey::generate(), {}, {}, v.accepted).peers.size() == 3);
}
