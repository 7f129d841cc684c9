// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/resolver_service.hh"

#include <catch2/catch.hpp>

#include "tests/harness/temp_dir.hh"

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

bool says(const std::vector<Degraded>& list, Severity severity, std::string_view words) {
  for (const auto& d : list)
    if (d.severity == severity && d.reason.find(words) != std::string::npos) return true;
  return false;
}

// Somewhere to listen that is free on any host.
ResolverWish anywhere() {
  return {.rung = Rung::bind,
          .listen_address = Endpoint{Address::v4(INADDR_LOOPBACK), 0}};
}

}  // namespace

TEST_CASE("a resolver that cannot be started is told of and tried again") {
  auto loop = *Loop::open();
  TempDir dir;
  ResolverService* again = nullptr;
  ResolverService service(loop, dir.path() + "/wigeon-resolver",
                          {.renew = [&] { again->want(anywhere(), {}); }});
  again = &service;
  service.want(anywhere(), {});
  REQUIRE(says(service.degraded(), Severity::error, "wigeon-resolver"));
  CHECK(service.status().listen.empty());

  // Started again by itself: a program is there now, and what it does is the next
  // failure.
  std::error_code failed;
  std::filesystem::create_symlink("/bin/false", dir.path() + "/wigeon-resolver", failed);
  REQUIRE_FALSE(failed);
  const auto end = Loop::now() + 5s;
  while (Loop::now() < end && !says(service.degraded(), Severity::error, "exit code 1"))
    REQUIRE(loop.run_once(100ms));
  CHECK(says(service.degraded(), Severity::error, "it ended: exit code 1"));
}

TEST_CASE("a resolver that is not wanted is no failure") {
  auto loop = *Loop::open();
  ResolverService service(loop, "/nonexistent", {});
  service.want({.rung = Rung::bind}, {});
  CHECK_FALSE(service.degraded().empty());
  service.stop();
  CHECK(service.degraded().empty());
  CHECK(service.status().redirect.empty());
}

TEST_CASE("zones that no configuration holds are refused by name") {
  auto loop = *Loop::open();
  ResolverService service(loop, "/nonexistent", {});
  const std::string longest(dns::kMaxConfigText + 1, 'x');
  service.want(anywhere(), {{.domain = longest}});
  CHECK(says(service.degraded(), Severity::error, "is longer than 4096 bytes"));
  const std::string probe = "0123456789abcdef.wigeon.invalid";
  service.want(anywhere(), {{.domain = "a.test"}, {.domain = probe}});
  CHECK_FALSE(says(service.degraded(), Severity::error, "is longer than"));
  CHECK(service.status().domains == std::vector<std::string>{"a.test"});
}

TEST_CASE("whoever waits for fresh counters hears at once when no resolver runs") {
  auto loop = *Loop::open();
  ResolverService service(loop, "/nonexistent", {});
  int calls = 0;
  service.refresh([&] { ++calls; });
  CHECK(calls == 1);
}

TEST_CASE(
    "where the resolver listens is what its rung leads to, and is told before it "
    "runs") {
  auto loop = *Loop::open();
  std::vector<std::string> opened;
  ResolverService service(loop, "/nonexistent",
                          {.opened = [&](Rung, const dns::ListenerSockets& sockets) {
                            for (const auto& s : sockets)
                              if (s.transport == dns::Transport::udp)
                                opened.push_back(s.endpoint.address.text());
                          }});
  const auto own = *Address::parse("127.77.0.1");
  service.want({.addresses = {own}, .rung = Rung::sk_lookup}, {});
  CHECK(opened == std::vector<std::string>{"127.0.0.1"});
  opened.clear();
  service.want({.addresses = {own}, .rung = Rung::tc}, {});
  CHECK(opened == std::vector<std::string>{"127.77.0.1"});
}
