// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/health.hh"

#include <catch2/catch.hpp>

#include "dns/group.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

namespace {

Endpoint at(int n) { return *Endpoint::parse("192.0.2." + std::to_string(n) + ":53"); }
const std::vector<Endpoint> kTwo{at(1), at(2)};

}  // namespace

TEST_CASE("a server is dead after two failures in a row, for a minute") {
  ServerHealth h;
  CHECK_FALSE(h.dead(0s));
  h.failed(0s, 4s);
  CHECK(h.failing());
  CHECK_FALSE(h.dead(4s));
  h.failed(1s, 5s);
  CHECK(h.dead(5s));
  CHECK(h.dead(64s));
  CHECK_FALSE(h.dead(65s));
  CHECK(h.failing());
  h.replied(65s, 66s);
  CHECK_FALSE(h.failing());
}

TEST_CASE("a failure counts only if nothing was replied since its query left") {
  ServerHealth h;
  h.replied(1s, 2s);
  for (int i = 0; i < 5; ++i) h.failed(1s, 5s);
  CHECK_FALSE(h.failing());
  CHECK(h.statistics(at(1), 5s).failures == 5);
}

TEST_CASE("queries that fail together lengthen the wait once") {
  ServerHealth h;
  for (int i = 0; i < 500; ++i) h.failed(std::chrono::milliseconds(i), 4s);
  CHECK_FALSE(h.probe_due(4999ms));
  CHECK(h.probe_due(5s));
  const auto wait = [&](std::chrono::seconds now) {
    h.failed(now, now);
    std::chrono::seconds s{0};
    while (!h.probe_due(now + s)) ++s;
    return s;
  };
  CHECK(wait(5s) == 2s);
  CHECK(wait(10s) == 4s);
  CHECK(wait(20s) == 5s);
  CHECK(wait(30s) == 5s);
}

TEST_CASE("while a probe is out there is no other") {
  ServerHealth h;
  h.failed(0s, 0s);
  REQUIRE(h.probe_due(1s));
  h.sent(1s, 4s);
  CHECK_FALSE(h.probe_due(4999ms));
  CHECK(h.probe_due(5s));
}

TEST_CASE("latency follows the replies slowly") {
  ServerHealth h;
  h.replied(0us, 8000us);
  CHECK(h.statistics(at(1), 1s).latency_us == 8000);
  h.replied(0us, 16000us);
  CHECK(h.statistics(at(1), 1s).latency_us == 9000);
}

TEST_CASE("a group is unhealthy when all its servers are dead") {
  HealthTable t;
  CHECK(group_health({}, t, 0s).health == Health::unhealthy);
  CHECK(group_health(kTwo, t, 0s).health == Health::unknown);
  for (int i = 0; i < 2; ++i) t[at(1)].failed(0s, 1s);
  CHECK(group_health(kTwo, t, 1s).health == Health::unknown);
  t[at(2)].replied(0s, 1s);
  CHECK(group_health(kTwo, t, 60s).health == Health::healthy);
  CHECK(group_health(kTwo, t, 61s).health == Health::unknown);
  for (int i = 0; i < 2; ++i) {
    t[at(1)].failed(60s, 61s);
    t[at(2)].failed(60s, 61s);
  }
  const auto dead = group_health(kTwo, t, 62s);
  CHECK(dead.health == Health::unhealthy);
  CHECK(dead.reason == "no server has replied for 61 s");
  CHECK(all_dead(kTwo, t, 62s));
  CHECK_FALSE(all_dead({}, t, 62s));
}

TEST_CASE("failing servers go behind, dead ones are left out but for a probe") {
  HealthTable t;
  const std::vector three{at(1), at(2), at(3)};
  t[at(1)].failed(0s, 0s);
  CHECK(turn_of(three, t, 0s).order == std::vector{at(2), at(3), at(1)});
  CHECK(turn_of(three, t, 0s).probes.empty());
  CHECK(turn_of(three, t, 1s).probes == std::vector{at(1)});
  t[at(1)].failed(1s, 1s);
  CHECK(turn_of(three, t, 2s).order == std::vector{at(2), at(3)});
  CHECK(turn_of(three, t, 3s).probes == std::vector{at(1)});
  // With nobody else, the probe is what the client waits for.
  const std::vector one{at(1)};
  CHECK(turn_of(one, t, 2s).order.empty());
  CHECK(turn_of(one, t, 3s).order == one);
  CHECK(turn_of(one, t, 3s).probes.empty());
}

TEST_CASE("extended errors of DNSSEC and of policies end the search") {
  const auto verdict = [](uint16_t rcode, uint16_t why) {
    return judge({.rcode = rcode, .extended_error = ExtendedError::Code{why}});
  };
  for (uint16_t why = 0; why < 30; ++why) {
    const bool stops =
        why == 1 || why == 2 || (why >= 5 && why <= 12) || (why >= 15 && why <= 18);
    CHECK(verdict(rcode::kServFail, why) == (stops ? Verdict::final : Verdict::refusal));
    CHECK(verdict(rcode::kRefused, why) == (stops ? Verdict::final : Verdict::refusal));
    CHECK(verdict(rcode::kNxDomain, why) == Verdict::answer);
  }
  CHECK(verdict(rcode::kServFail, 0xffff) == Verdict::refusal);
}
