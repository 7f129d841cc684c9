// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/workload.hh"

#include <catch2/catch.hpp>
#include <set>

using namespace wigeon;
using namespace wigeon::bench;

TEST_CASE("50,000 peers share neither a key nor an address") {
  std::set<Key> keys;
  std::set<Prefix> prefixes;
  for (const auto& p : change_of(peers(50'000), PeerChange::Kind::add).peers) {
    keys.insert(p.public_key);
    prefixes.insert(p.allowed_ips->begin(), p.allowed_ips->end());
  }
  CHECK(keys.size() == 50'000);
  CHECK(prefixes.size() == 100'000);
}

TEST_CASE("a peer is the same for each contender") {
  const auto p = peer(258, 1234);
  const auto ours = change_of(p, PeerChange::Kind::add);
  CHECK(ours.public_key.text() == key_text(p));
  CHECK(ours.endpoint->text() == "198.18.1.2:1234");
  CHECK(ours.allowed_ips->at(0).text() == "100.64.1.3/32");
  CHECK(ours.allowed_ips->at(1).text() == "fd00:6400::102/128");
  CHECK(config_of(std::span(&p, 1), "") ==
        "[Interface]\n[Peer]\nPublicKey = " + key_text(p) +
            "\nAllowedIPs = 100.64.1.3/32,fd00:6400::102/128\n"
            "Endpoint = 198.18.1.2:1234\nPersistentKeepalive = 25\n");
}

TEST_CASE("routes are the same for each contender") {
  const auto to = routes(300);
  const auto changes = changes_of(to, IfIndex{7});
  REQUIRE(changes.size() == 300);
  CHECK(changes[259].route.destination.text() == "10.1.3.0/24");
  CHECK(batch_of(std::span(to).subspan(259, 1), "wg0") ==
        "route replace 10.1.3.0/24 dev wg0 table 7120 proto 89 scope link\n");
}
