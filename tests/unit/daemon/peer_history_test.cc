// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/peer_history.hh"

#include <catch2/catch.hpp>

#include "tests/unit/core/make.hh"

using namespace wigeon;
using namespace wigeon::make;
using namespace std::chrono_literals;

namespace {

const WallTime kNow{std::chrono::seconds(1'800'000'000)};

}  // namespace

TEST_CASE("a peer's state is noted when it changes, and forgotten with the peer") {
  ObservedDevice device;
  device.peers = {
      {.peer = peer(1, {}, "192.0.2.1:51820"), .stats = {.last_handshake = kNow - 10s}},
      {.peer = peer(2, {})}};
  PeerHistory h;
  h.note(device, kNow);
  REQUIRE(h.find(key(1)));
  REQUIRE(h.find(key(2)));
  CHECK(h.find(key(1))->state == PeerState::connected);
  CHECK(h.find(key(2))->state == PeerState::idle);
  h.note(device, kNow + 60s);
  CHECK(h.find(key(1))->since == kNow);
  h.note(device, kNow + 300s);
  CHECK(h.find(key(1))->state == PeerState::connecting);
  CHECK(h.find(key(1))->since == kNow + 300s);
  CHECK(h.find(key(2))->since == kNow);
  device.peers.erase(device.peers.begin());
  h.note(device, kNow + 300s);
  CHECK_FALSE(h.find(key(1)));
  CHECK(h.find(key(2)));
}
