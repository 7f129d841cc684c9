// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/liveness.hh"

#include <catch2/catch.hpp>
#include <random>

using namespace wigeon;
using namespace std::chrono_literals;
using State = Liveness::State;

namespace {

// A peer that is sampled as time passes.
struct Sampled {
  Liveness liveness{};
  PeerStats stats{.last_handshake = std::chrono::system_clock::time_point(1000s),
                  .rx_bytes = 5'000,
                  .tx_bytes = 5'000};
  Liveness::Clock::time_point now{1000s};
  std::chrono::seconds keepalive = 25s;

  Sampled& sent(uint64_t bytes) {
    stats.tx_bytes += bytes;
    return *this;
  }
  Sampled& heard(uint64_t bytes) {
    stats.rx_bytes += bytes;
    return *this;
  }
  State after(std::chrono::milliseconds d) {
    now += d;
    return liveness.update(now, stats, keepalive);
  }
};

}  // namespace

TEST_CASE("nothing is known of a peer until it is heard") {
  Sampled p;
  CHECK(p.liveness.state() == State::unknown);
  CHECK(p.after(0s) == State::unknown);
  CHECK(p.after(5s) == State::unknown);
  CHECK(p.heard(32).after(5s) == State::alive);
}

TEST_CASE("a peer that does not answer data is dead after the silence, not before") {
  Sampled p;
  p.after(0s);
  p.heard(1000).sent(1000).after(5s);
  CHECK(p.sent(128).after(5s) == State::alive);
  CHECK(p.after(5s) == State::alive);
  CHECK(p.after(5s) == State::alive);
  CHECK(p.sent(148).after(5s) == State::alive);  // 15 s: the handshake has just begun
  CHECK(p.after(1333ms) == State::alive);
  CHECK(p.after(1ms) == State::dead);
}

TEST_CASE("also one that was never heard") {
  Sampled p;
  p.after(0s);
  for (int i = 0; i < 4; ++i) CHECK(p.sent(148).after(5s) == State::unknown);
  CHECK(p.sent(148).after(5s) == State::dead);
}

TEST_CASE("anything received, or a new handshake, is life") {
  const auto dead = [] {
    Sampled p;
    p.after(0s);
    p.sent(1000).after(5s);
    REQUIRE(p.after(17s) == State::dead);
    return p;
  };
  auto p = dead();
  CHECK(p.heard(1).after(5s) == State::alive);
  p = dead();
  p.stats.last_handshake += 100s;
  CHECK(p.after(5s) == State::alive);
  // And it must be silent all over again to be dead.
  CHECK(p.after(17s) == State::alive);
  p.sent(1000).after(5s);
  CHECK(p.after(17s) == State::dead);
}

TEST_CASE("a passive keepalive within ten seconds is answer enough") {
  Sampled p;
  p.after(0s);
  for (int i = 0; i < 100; ++i) {
    p.sent(1'400).after(5s);
    p.after(5s);
    CHECK(p.heard(32).after(5s) == State::alive);
  }
}

TEST_CASE("keepalives alone are not held against a peer") {
  for (const auto keepalive : {1s, 5s, 25s, 60s}) {
    CAPTURE(keepalive.count());
    Sampled p{.keepalive = keepalive};
    p.after(0s);
    p.heard(1'000).sent(1'000).after(5s);
    p.sent(kKeepaliveBytes);  // our answer to what it sent last
    auto due = p.now + keepalive;
    for (int i = 0; i < 200; ++i) {
      for (; due <= p.now + 5s; due += keepalive) p.sent(kKeepaliveBytes);
      REQUIRE(p.after(5s) == State::alive);
    }
  }
  Sampled none{.keepalive = 0s};
  none.after(0s);
  none.heard(1'000).after(5s);
  none.sent(kKeepaliveBytes).after(5s);
  CHECK(none.after(60s) == State::alive);
  none.sent(kKeepaliveBytes).after(5s);  // a second one nothing explains
  CHECK(none.after(20s) == State::dead);
}

TEST_CASE("with sparse samples the doubt is the peer's") {
  Sampled p;
  p.after(0s);
  // All of it may have been sent before the last of what was received.
  CHECK(p.heard(10).sent(100'000).after(120s) == State::alive);
  CHECK(p.after(120s) == State::alive);
  // Just sent, for all we know.
  CHECK(p.sent(100'000).after(120s) == State::alive);
  CHECK(p.after(120s) == State::dead);
}

TEST_CASE("counters that go back belong to another peer of that key") {
  Sampled p;
  p.after(0s);
  p.sent(1'000).after(5s);
  p.after(17s);
  p.stats = {};
  CHECK(p.after(5s) == State::unknown);
  CHECK(p.after(60s) == State::unknown);
}

TEST_CASE("another keepalive begins the count anew") {
  Sampled p{.keepalive = 0s};
  p.after(0s);
  p.sent(1'000).after(5s);
  p.keepalive = 1s;
  CHECK(p.sent(kKeepaliveBytes * 10).after(10s) == State::unknown);
  CHECK(p.sent(kKeepaliveBytes * 17).after(17s) == State::unknown);
}

TEST_CASE("a peer that answers is never dead, however it is sampled") {
  std::mt19937 random(7);
  const auto upto = [&](int n) {
    return std::uniform_int_distribution<int>(0, n)(random);
  };
  for (int run = 0; run < 200; ++run) {
    Sampled p;
    p.after(0s);
    p.heard(100).after(1s);
    // Data at random times, each answered within ten seconds or with the next data.
    std::optional<int> owed;
    for (int ms = 0, next = 5'000; ms < 600'000; ms += 100) {
      if (upto(40) == 0) {
        p.sent(64 + static_cast<uint64_t>(upto(1'400)));
        if (!owed) owed = ms + upto(10'000);
      }
      if (owed && ms >= *owed) {
        p.heard(32);
        owed.reset();
      }
      p.now += 100ms;
      if (ms < next) continue;
      next = ms + 1'000 + upto(20'000);
      REQUIRE(p.after(0ms) == State::alive);
    }
  }
}
