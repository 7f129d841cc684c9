// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/loop.hh"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <csignal>

using namespace wigeon;
using namespace std::chrono_literals;

TEST_CASE("a watch may destroy itself in its own callback") {
  auto loop = *Loop::open();
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  UniqueFd a(fds[0]), b(fds[1]);
  REQUIRE(::write(b.get(), "xx", 2) == 2);
  int calls = 0;
  Loop::Watch watch;
  watch = *loop.watch(a.get(), EPOLLIN, [&](uint32_t) {
    ++calls;
    watch.reset();
  });
  for (int i = 0; i < 3; ++i) REQUIRE(loop.run_once(1ms));
  CHECK(calls == 1);
}

TEST_CASE("a timer fires once and can be started again") {
  auto loop = *Loop::open();
  int calls = 0;
  auto timer = *loop.after(1ms, [&] { ++calls; });
  for (int i = 0; i < 100 && calls == 0; ++i) REQUIRE(loop.run_once(100ms));
  CHECK(calls == 1);
  REQUIRE(timer.restart(1ms));
  for (int i = 0; i < 100 && calls == 1; ++i) REQUIRE(loop.run_once(100ms));
  CHECK(calls == 2);
}

TEST_CASE("signals and children come through the loop") {
  auto loop = *Loop::open();
  auto signals = *loop.signals({SIGUSR1}, [&](int signal) { loop.exit(signal); });
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(7);
  int status = -1;
  auto child = *loop.child(pid, [&](const siginfo_t& si) {
    status = si.si_status;
    ::kill(::getpid(), SIGUSR1);
  });
  CHECK(*loop.run() == SIGUSR1);
  CHECK(status == 7);
}

TEST_CASE("a cancelled timer does not fire") {
  auto loop = *Loop::open();
  int calls = 0;
  {
    auto gone = *loop.after(0us, [&] { ++calls; });
  }
  auto end = *loop.after(5ms, [&] { loop.exit(0); });
  REQUIRE(loop.run());
  CHECK(calls == 0);
}

TEST_CASE("a timer made unarmed fires only once armed, and not after it was disarmed") {
  auto loop = *Loop::open();
  int calls = 0;
  auto timer = *loop.timer([&] { ++calls; });
  auto end = *loop.after(5ms, [&] { loop.exit(0); });
  REQUIRE(timer.restart(1ms));
  REQUIRE(timer.disarm());
  REQUIRE(loop.run_once(2ms));
  REQUIRE(timer.restart(0ms));
  REQUIRE(loop.run());
  CHECK(calls == 1);
}
