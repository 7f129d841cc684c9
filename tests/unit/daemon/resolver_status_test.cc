// SPDX-License-Identifier: GPL-2.0-or-later
#include <catch2/catch.hpp>

#include "agent/daemon/resolver_service.hh"

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

const WallTime kAt{std::chrono::seconds(1'800'000'000)};

Prefix prefix(const char* text) { return *Prefix::parse(text); }
Endpoint at(const char* text) { return *Endpoint::parse(text); }

std::string text(const std::vector<DnsZoneStatus>& list) {
  std::string out;
  for (const auto& z : list)
    out += z.domain + " " + std::to_string(z.records) +
           (z.generated ? " generated" : "") + (z.authoritative ? "" : " open") + "\n";
  return out;
}

}  // namespace

TEST_CASE("zones are listed with their records, and reverse zones with theirs") {
  const std::vector<dns::ZoneConfig> configs{
      {.domain = "a.test",
       .records = {{"x.a.test", 1, 60, "100.64.0.1"},
                   {"y.a.test", 1, 60, "100.65.0.1"},
                   {"y.a.test", 28, 60, "fd00::1"},
                   {"far.a.test", 1, 60, "192.0.2.1"},
                   {"t.a.test", 16, 60, "\"100.64.0.9\""}}},
      {.domain = "open.test",
       .records = {{"z.open.test", 1, 60, "100.64.0.2"}},
       .non_authoritative = true},
      {.domain = "0123456789abcdef.wigeon.invalid", .records = {{"", 16, 0, "\"x\""}}}};
  const auto zones = dns::views_of(configs);
  // A prefix that ends inside a nibble is several zones; those without names too.
  CHECK(text(zone_list(zones, {prefix("100.64.0.0/15"), prefix("fd00::/16")})) ==
        "a.test 5\n"
        "open.test 1 open\n"
        "64.100.in-addr.arpa 1 generated\n"
        "65.100.in-addr.arpa 1 generated\n"
        "0.0.d.f.ip6.arpa 1 generated\n");
}

TEST_CASE("many zones are listed in part") {
  const std::vector<dns::ZoneView> zones(kMaxZonesListed + 1, {.domain = "z.test"});
  CHECK(zone_list(zones, {prefix("100.64.0.0/16")}).size() == kMaxZonesListed);
}

TEST_CASE("a configured reverse zone takes the place of the generated one") {
  CHECK(text(zone_list({{.domain = "64.100.in-addr.arpa"}}, {prefix("100.64.0.0/16")})) ==
        "64.100.in-addr.arpa 0\n");
}

TEST_CASE("groups are shown as wished, with what was counted of each server") {
  const dns::ResolverConfig config{
      .groups = {{.domains = {"corp.test"},
                  .servers = {at("192.0.2.1:53"), at("192.0.2.2:53")}},
                 {.servers = {at("192.0.2.3:53")}, .primary = true}},
      .upstreams = {at("192.0.2.9:53")}};
  dns::Statistics s;
  s.groups = {{.health = dns::Health::unhealthy,
               .reason = "dead",
               // The first one leads back to us, and is not asked.
               .servers = {{.endpoint = at("192.0.2.2:53"),
                            .sent = 3,
                            .replies = 1,
                            .failures = 2,
                            .latency_us = 700,
                            .ok_ago = 30}}},
              {.primary = true, .health = dns::Health::healthy},
              {.original = true}};
  const auto list = group_list(config, s, kAt);
  REQUIRE(list.size() == 3);
  CHECK(list[0].domains == std::vector<std::string>{"corp.test"});
  CHECK(list[0].health == "unhealthy");
  CHECK(list[0].reason == "dead");
  REQUIRE(list[0].servers.size() == 2);
  CHECK(list[0].servers[0].server == "192.0.2.1:53");
  CHECK(list[0].servers[0].sent == 0);
  CHECK(list[0].servers[1].sent == 3);
  CHECK(list[0].servers[1].latency == 700us);
  CHECK(list[0].servers[1].last_reply == kAt - 30s);
  CHECK(list[0].servers[1].last_failure == kNever);
  CHECK(list[1].primary);
  CHECK(list[1].health == "healthy");
  CHECK(list[2].original);
  CHECK(list[2].servers.at(0).server == "192.0.2.9:53");
}

TEST_CASE("counters of another configuration are shown to no group") {
  const dns::ResolverConfig config{.groups = {{.servers = {at("192.0.2.1:53")}}}};
  dns::Statistics s;
  s.groups = {{.original = true, .health = dns::Health::healthy}};
  const auto list = group_list(config, s, kAt);
  REQUIRE(list.size() == 2);
  CHECK(list[0].health == "unknown");
  CHECK(list[1].health == "unknown");
}

TEST_CASE("what befell the queries to upstream servers is shown") {
  dns::Statistics s;
  s.withheld = 12;
  s.upstream = {.queries = 1,
                .replies = 2,
                .timeouts = 3,
                .unreachable = 4,
                .full = 5,
                .repeated = 6,
                .mismatches = 7,
                .suspicions = 8,
                .truncated = 9,
                .without_edns = 10,
                .without_case = 11};
  DnsStatus status;
  add_counters(s, status);
  CHECK(status.queries.at("withheld") == 12);
  CHECK(status.upstream == std::map<std::string, uint64_t>{{"total", 1},
                                                           {"replies", 2},
                                                           {"timeouts", 3},
                                                           {"unreachable", 4},
                                                           {"noRoom", 5},
                                                           {"repeated", 6},
                                                           {"forgedReplies", 7},
                                                           {"tcpForForgery", 8},
                                                           {"tcpForRoom", 9},
                                                           {"withoutEdns", 10},
                                                           {"withoutMixedCase", 11}});
}

TEST_CASE("whoever waits for an answer is told exactly once") {
  auto loop = *Loop::open();
  Awaited<int> awaited;
  std::vector<std::string> told;
  const auto done = [&](Outcome<int> o) {
    told.push_back(o ? std::to_string(*o) : o.error().message);
  };
  awaited.add(loop, 1, 20ms, "it", done);
  awaited.add(loop, 2, 10s, "it", done);
  awaited.add(loop, 3, 10s, "it", done);
  awaited.answer(2, 42);
  awaited.answer(2, 43);
  awaited.answer(9, 1);
  const auto end = Loop::now() + 5s;
  while (told.size() < 2 && Loop::now() < end) REQUIRE(loop.run_once(20ms));
  awaited.fail_all({Code::degraded, "gone"});
  awaited.fail_all({Code::degraded, "gone"});
  CHECK(told == std::vector<std::string>{"42", "it does not answer", "gone"});
  CHECK(awaited.size() == 0);
}

TEST_CASE("more than a few do not wait") {
  auto loop = *Loop::open();
  Awaited<int> awaited;
  int refused = 0;
  for (uint32_t i = 0; i < kMaxAwaited + 3; ++i)
    awaited.add(loop, i, 10s, "it",
                [&](Outcome<int> o) { refused += o.error().code == Code::busy; });
  CHECK(refused == 3);
  CHECK(awaited.size() == kMaxAwaited);
}

TEST_CASE("without a resolver, queries and flushes are answered at once, and why") {
  auto loop = *Loop::open();
  ResolverService service(loop, "/nonexistent", {});
  service.want({.config = {.groups = {{.servers = {at("192.0.2.1:53")}}}},
                .rung = Rung::bind,
                .listen_address = Endpoint{Address::v4(INADDR_LOOPBACK), 0}},
               {});
  std::vector<Failure> failures;
  service.flush("", [&](auto o) { failures.push_back(o.error()); });
  service.query("a.test", 1, dns::Transport::udp,
                [&](auto o) { failures.push_back(o.error()); });
  REQUIRE(failures.size() == 2);
  for (const auto& f : failures) {
    CHECK(f.code == Code::degraded);
    CHECK(f.message.starts_with("no resolver runs: "));
  }
  const auto status = service.status();
  REQUIRE(status.groups.size() == 2);
  CHECK(status.groups[0].health == "unhealthy");
  CHECK(status.groups[0].reason.starts_with("no resolver runs"));
}
