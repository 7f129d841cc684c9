// SPDX-License-Identifier: GPL-2.0-or-later
// How processes are started and end; the real resolver runs in tests/netns.
#include "dns/launcher.hh"

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

TEST_CASE("a program that cannot be run is an error, not an exit") {
  auto loop = *Loop::open();
  const auto error = [&](const char* program) {
    auto r = Resolver::start(loop, program, resolver_identity(), {}, {}, {});
    return r ? "started" : r.error().what;
  };
  CHECK(error("/nowhere/wigeon-resolver") ==
        "/nowhere/wigeon-resolver: No such file or directory");
  CHECK(error("/etc/passwd") == "/etc/passwd: exec: Permission denied");
  CHECK(error("/etc") == "/etc: exec: Permission denied");
}

TEST_CASE("the end of the process is told once, with its reason") {
  auto loop = *Loop::open();
  std::vector<std::string> ends;
  auto r =
      Resolver::start(loop, "/bin/false", resolver_identity(), {}, {},
                      {.exited = [&](const std::string& why) { ends.push_back(why); }});
  REQUIRE(r);
  for (int i = 0; i < 300 && ends.empty(); ++i) REQUIRE(loop.run_once(10ms));
  CHECK(ends == std::vector<std::string>{"exit code 1"});
  CHECK_FALSE((*r)->configure({}));
}

TEST_CASE("a resolver that is dropped is gone") {
  auto loop = *Loop::open();
  bool told = false;
  auto r = Resolver::start(loop, "/usr/bin/cat", resolver_identity(), {}, {},
                           {.exited = [&](const std::string&) { told = true; }});
  REQUIRE(r);
  const pid_t pid = (*r)->pid();
  r->reset();
  CHECK(::kill(pid, 0) == -1);
  CHECK_FALSE(told);
}

TEST_CASE("the callback of the end may drop the resolver") {
  auto loop = *Loop::open();
  std::unique_ptr<Resolver> resolver;
  bool told = false;
  auto r = Resolver::start(loop, "/bin/true", resolver_identity(), {}, {},
                           {.exited = [&](const std::string&) {
                             resolver.reset();
                             told = true;
                           }});
  REQUIRE(r);
  resolver = std::move(*r);
  for (int i = 0; i < 300 && !told; ++i) REQUIRE(loop.run_once(10ms));
  CHECK(told);
}
