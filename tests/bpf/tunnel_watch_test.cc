// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel without WireGuard has another family that is asked one thing at a time: the
// one that tells the numbers of the others. tests/vm/tests/tunnel_watch has the real one.
#include "bpf/tunnel_watch.hh"

#include <fcntl.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>

#include "agent/base/owned.hh"
#include "tests/bpf/own_namespace.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

namespace {

UniqueFd generic_netlink() {
  return UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
}

// The kernel has carried it out when this returns, whatever it answers.
bool ask(int socket, uint16_t flags = 0) {
  struct {
    nlmsghdr header{};
    genlmsghdr generic{};
  } message;
  message.header.nlmsg_len = sizeof(message);
  message.header.nlmsg_type = GENL_ID_CTRL;
  message.header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  message.generic.cmd = CTRL_CMD_GETFAMILY;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  return ::sendto(socket, &message, sizeof(message), 0,
                  reinterpret_cast<const sockaddr*>(&kernel),
                  sizeof(kernel)) == sizeof(message);
}

// True when it could do what it should.
bool in_child(const std::function<bool()>& act) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::prctl(PR_SET_NAME,
            "some\x1b"
            "body");
    ::_exit(act() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status == 0;
}

TunnelWatch watch() {
  auto opened = TunnelWatch::open(GENL_ID_CTRL);
  // Some kernels keep BPF trampolines even from root.
  if (!opened && (opened.error().code == ENOTSUP || opened.error().code == EPERM))
    skip("BPF trampolines: " + opened.error().what);
  INFO((opened ? "" : opened.error().what));
  REQUIRE(opened);
  return std::move(*opened);
}

bool readable(const TunnelWatch& watch, int milliseconds) {
  pollfd one{.fd = watch.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

}  // namespace

TEST_CASE("a change by somebody else is told, counted once and has a name") {
  TunnelWatch watched = watch();
  const UniqueFd socket = generic_netlink();
  CHECK(!readable(watched, 0));
  REQUIRE(in_child([&] { return ask(socket.get()); }));
  CHECK(readable(watched, 1'000));
  const auto changes = watched.drain().value();
  CHECK(changes.count == 1);
  REQUIRE(changes.last);
  CHECK(changes.last->process > 0);
  CHECK(changes.last->command == "some?body");
  CHECK(!readable(watched, 0));
  CHECK(watched.drain().value().count == 0);
}

TEST_CASE("our own changes wake nobody") {
  TunnelWatch watched = watch();
  const UniqueFd socket = generic_netlink();
  for (int i = 0; i < 3; ++i) REQUIRE(ask(socket.get()));
  CHECK(!readable(watched, 100));
  CHECK(watched.drain().value().count == 0);
  CHECK(watched.count(WG_SET_OWN).value() == 3);
}

TEST_CASE("we know ourselves in a PID namespace of our own") {
  (void)watch();  // skips where it cannot be had
  REQUIRE(in_child([] {
    // Only children are in it, so that one of them is the watcher.
    if (::unshare(CLONE_NEWPID) != 0) return false;
    return in_child([] {
      auto watched = TunnelWatch::open(GENL_ID_CTRL);
      const UniqueFd socket = generic_netlink();
      return watched && ask(socket.get()) && watched->count(WG_SET_OWN) == 1u &&
             watched->count(WG_SET_FOREIGN) == 0u;
    });
  }));
}

TEST_CASE("a change in another network namespace wakes nobody") {
  TunnelWatch watched = watch();
  const UniqueFd ours = generic_netlink();
  REQUIRE(in_child(
      [] { return ::unshare(CLONE_NEWNET) == 0 && ask(generic_netlink().get()); }));
  CHECK(!readable(watched, 100));
  CHECK(watched.count(WG_SET_ELSEWHERE).value() == 1);
  // The device is looked for where the socket is from, wherever its user has gone.
  REQUIRE(in_child([&] { return ::unshare(CLONE_NEWNET) == 0 && ask(ours.get()); }));
  CHECK(readable(watched, 1'000));
  CHECK(watched.drain().value().count == 1);
}

TEST_CASE("looking is no change, and neither is what other families are told") {
  TunnelWatch watched = watch();
  const UniqueFd socket = generic_netlink();
  REQUIRE(in_child([&] { return ask(socket.get(), NLM_F_DUMP); }));
  CHECK(!readable(watched, 100));
  watched.set_family(GENL_ID_CTRL + 1);
  REQUIRE(in_child([&] { return ask(socket.get()); }));
  CHECK(!readable(watched, 100));
  watched.set_family(GENL_ID_CTRL);
  REQUIRE(in_child([&] { return ask(socket.get()); }));
  CHECK(watched.drain().value().count == 1);
}

TEST_CASE("changes whose records did not fit are counted all the same") {
  constexpr int kTimes = 1'000;  // the ring has room for 128 at most
  TunnelWatch watched = watch();
  const UniqueFd socket = generic_netlink();
  REQUIRE(in_child([&] {
    for (int i = 0; i < kTimes; ++i)
      if (!ask(socket.get())) return false;
    return true;
  }));
  CHECK(readable(watched, 1'000));
  CHECK(watched.drain().value().count == kTimes);
  REQUIRE(in_child([&] { return ask(socket.get()); }));
  CHECK(readable(watched, 1'000));
  CHECK(watched.drain().value().count == 1);
}

TEST_CASE("a watch that was moved still hears") {
  TunnelWatch watched = watch();
  TunnelWatch moved = std::move(watched);
  const UniqueFd socket = generic_netlink();
  REQUIRE(in_child([&] { return ask(socket.get()); }));
  const auto changes = moved.drain().value();
  CHECK(changes.count == 1);
  CHECK(changes.last);
}

TEST_CASE("a process that may not is told so") {
  REQUIRE(in_child([] {
    if (::setresuid(65534, 65534, 65534) != 0) return false;
    const auto watched = TunnelWatch::open(GENL_ID_CTRL);
    return !watched && watched.error().code == EPERM;
  }));
}
