// SPDX-License-Identifier: GPL-2.0-or-later
// Puts the whole test program into a network and a mount namespace of its own before
// main() runs; where that cannot be, the program ends as skipped and says what is
// missing.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>

#include "agent/base/loop.hh"
#include "netlink/link.hh"
#include "netlink/socket.hh"

namespace wigeon::netlink {

[[noreturn]] inline void skip(const char* missing) {
  std::printf("skipped: %s\n", missing);
  std::fflush(stdout);
  ::_exit(77);
}

// /run is empty in there: wireguard-go has its socket under a fixed path.
struct OwnNamespaces {
  OwnNamespaces() {
    if (::geteuid() != 0) skip("not root");
    if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) skip("unshare(2) is not allowed");
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/run", "tmpfs", 0, nullptr) != 0)
      skip("mount(2) is not allowed");
    if (std::system("ip link set lo up") != 0) skip("no ip(8)");
  }
};
inline const OwnNamespaces own_namespaces;

// A shell command that has to succeed.
inline void run(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

inline void run_until_quiet(Loop& loop) {
  for (;;) {
    const auto more = loop.run_once(std::chrono::milliseconds(50));
    REQUIRE(more);
    if (!*more) return;
  }
}

inline Socket route_socket() {
  auto s = Socket::open(Protocol::route);
  REQUIRE(s);
  return std::move(*s);
}

// veth pair of this name and name + "p", removed at the end.
class Veth {
 public:
  Veth(Socket& s, const std::string& name) : name_(name) {
    run("ip link add " + name + " type veth peer name " + name + "p");
    link_ = find_link(s, name).value().value();
  }
  ~Veth() { (void)std::system(("ip link del " + name_).c_str()); }
  Veth(const Veth&) = delete;
  Veth& operator=(const Veth&) = delete;
  [[nodiscard]] IfIndex index() const { return link_.index; }

 private:
  std::string name_;
  Link link_{};
};

}  // namespace wigeon::netlink
