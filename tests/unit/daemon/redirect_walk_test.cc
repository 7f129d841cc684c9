// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/redirect_walk.hh"

#include <catch2/catch.hpp>

using namespace wigeon;

namespace {

const Endpoint kServer = *Endpoint::parse("100.64.0.1:53");

DnsStatus at(uint64_t udp, uint64_t tcp) {
  return {.redirect = "tc",
          .redirect_attached = "tcx ingress of lo",
          .redirect_program = 7,
          .redirect_tag = "ab",
          .redirect_counters = {{"redirected UDP", udp}, {"redirected TCP", tcp}},
          .listen = {"100.64.0.1:5053"}};
}

const RedirectStep& step(const RedirectWalk& walk, std::string_view name) {
  for (const auto& s : walk.steps)
    if (s.step == name) return s;
  FAIL("no step " << name);
  return walk.steps.front();
}

}  // namespace

TEST_CASE("each transport has a walk of its own, with what was counted of it") {
  const auto before = at(3, 10), after = at(5, 10);
  const auto walks =
      redirect_walks({"probe.test", &before, &after},
                     {{dns::Transport::udp, kServer, ""},
                      {dns::Transport::tcp, kServer, "no reply within 2 s"}});
  REQUIRE(walks.size() == 2);
  CHECK(walks[0].transport == "udp");
  CHECK(walks[0].server == "100.64.0.1:53");
  CHECK(step(walks[0], "Counters").detail == "redirected UDP +2");
  CHECK(step(walks[0], "Redirect").detail == "tc: tcx ingress of lo, program 7, tag ab");
  CHECK_FALSE(walks[0].steps.back().failed);
  CHECK(step(walks[1], "Counters").failed);
  CHECK(step(walks[1], "Reply").failed);
  CHECK(step(walks[1], "Reply").detail == "no reply within 2 s");
}

TEST_CASE("where nothing is attached nothing is counted") {
  const DnsStatus held{.redirect = "bind", .listen = {"100.64.0.1:53"}};
  const auto walks =
      redirect_walks({"probe.test", &held, &held}, {{dns::Transport::udp, kServer, ""}});
  REQUIRE(walks.size() == 1);
  for (const auto& s : walks[0].steps) {
    CHECK(s.step != "Counters");
    CHECK_FALSE(s.failed);
  }
  const DnsStatus none{.redirect = "off"};
  const auto lost = redirect_walks({"probe.test", &none, &none},
                                   {{dns::Transport::udp, kServer, "refused"}});
  CHECK(step(lost[0], "Redirect").failed);
  CHECK(step(lost[0], "Listener").failed);
}
