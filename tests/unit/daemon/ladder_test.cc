// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/ladder.hh"

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

constexpr Ladder::Time kNow = 100h;
using Next = Ladder::Next;

Next fail_often(Ladder& ladder, bool resolver_answers = true) {
  for (unsigned i = 1; i < kRungProbesLost; ++i)
    REQUIRE(ladder.failed("no reply", resolver_answers, kNow) == Next::ask_again);
  return ladder.failed("no reply", resolver_answers, kNow);
}

}  // namespace

TEST_CASE("auto begins with sk_lookup and never takes xdp or bind") {
  CHECK(rungs(DnsRedirect::automatic) ==
        std::vector{Rung::sk_lookup, Rung::tc, Rung::nftables});
  CHECK(rungs(DnsRedirect::xdp) == std::vector{Rung::xdp});
  CHECK(rungs(DnsRedirect::off).empty());
}

TEST_CASE("a rung has the name that the setting has") {
  for (const auto r : kRungs) CHECK(rung_named(text(r)) == r);
  CHECK_FALSE(rung_named("auto"));
}

TEST_CASE("a rung that cannot be attached is left for the next, and the reason kept") {
  Ladder ladder(rungs(DnsRedirect::automatic));
  CHECK(ladder.rung() == Rung::sk_lookup);
  CHECK_FALSE(ladder.climb_at());
  ladder.refused("EPERM", kNow);
  CHECK(ladder.rung() == Rung::tc);
  REQUIRE(ladder.fallen().size() == 1);
  CHECK(ladder.fallen()[0].rung == Rung::sk_lookup);
  CHECK(ladder.fallen()[0].why == "EPERM");
  CHECK(ladder.climb_at() == kNow + kClimbAgain);
}

TEST_CASE("a probe that fails once changes nothing, three in a row do") {
  Ladder ladder(rungs(DnsRedirect::automatic));
  ladder.passed();
  CHECK(ladder.failed("no reply", true, kNow) == Next::ask_again);
  CHECK(ladder.failed("no reply", true, kNow) == Next::ask_again);
  ladder.passed();
  CHECK(ladder.rung() == Rung::sk_lookup);
  CHECK(fail_often(ladder) == Next::another_rung);
  CHECK(ladder.rung() == Rung::tc);
  CHECK_FALSE(ladder.proved());
  CHECK(ladder.fallen()[0].why == "no reply");
}

TEST_CASE("no rung is to blame for a resolver that hangs") {
  Ladder ladder(rungs(DnsRedirect::automatic));
  CHECK(fail_often(ladder, false) == Next::give_up);
  CHECK(ladder.rung() == Rung::sk_lookup);
  CHECK(ladder.fallen().empty());
}

TEST_CASE("a rung that was asked for by name is kept when it does not work") {
  Ladder ladder(rungs(DnsRedirect::tc));
  CHECK(fail_often(ladder) == Next::give_up);
  CHECK(ladder.rung() == Rung::tc);
}

TEST_CASE("when no rung works all are tried again, each time later, up to an hour") {
  Ladder ladder(rungs(DnsRedirect::automatic));
  auto wait = Ladder::Time(kTryAllAgain);
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 3; ++i) ladder.refused("no", kNow);
    CHECK_FALSE(ladder.rung());
    CHECK(ladder.fallen().size() == 3);
    CHECK(ladder.climb_at() == kNow + wait);
    ladder.refused("no", kNow);  // nothing to refuse
    CHECK(ladder.fallen().size() == 3);
    CHECK(ladder.failed("no reply", true, kNow) == Next::give_up);
    ladder.climb();
    CHECK(ladder.rung() == Rung::sk_lookup);
    wait = std::min<Ladder::Time>(wait * 2, kTryAllAgainAtMost);
  }
  CHECK(wait == Ladder::Time(kTryAllAgainAtMost));
}

TEST_CASE("the top is tried again after an hour, then two, and an hour once it worked") {
  Ladder ladder(rungs(DnsRedirect::automatic));
  CHECK(fail_often(ladder) == Next::another_rung);
  ladder.passed();
  CHECK(ladder.climb_at() == kNow + 1h);
  ladder.climb();
  CHECK(ladder.fallen().empty());
  CHECK(fail_often(ladder) == Next::another_rung);
  CHECK(ladder.climb_at() == kNow + 2h);
  ladder.climb();
  ladder.passed();
  CHECK_FALSE(ladder.climb_at());
  CHECK(fail_often(ladder) == Next::another_rung);
  CHECK(ladder.climb_at() == kNow + 1h);
}
