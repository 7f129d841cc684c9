// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace wigeon {

// Moves the test program into a network namespace of its own with loopback up, once;
// without the permission to, the program ends as skipped.
inline void enter_own_network() {
  static const bool done = [] {
    bool good =
        ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    const int s = ::socket(AF_INET, SOCK_DGRAM, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    good = good && ::ioctl(s, SIOCSIFFLAGS, &request) == 0;
    ::close(s);
    if (!good) {
      std::printf("SKIP: needs the permission to make a network namespace\n");
      std::exit(77);
    }
    return true;
  }();
  (void)done;
}

// Gives loopback a second address that is not in 127.0.0.0/8.
inline bool add_address(const char* text) {
  const int s = ::socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo:1");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, text, &address.sin_addr);
  std::memcpy(&request.ifr_addr, &address, sizeof address);
  const bool good = ::ioctl(s, SIOCSIFADDR, &request) == 0;
  ::close(s);
  return good;
}

// Gives loopback, interface 1, a link-local address: it takes none by itself.
inline bool add_link_local(const char* text) {
  struct {
    in6_addr address;
    uint32_t bits;
    int index;
  } request{{}, 64, 1};  // in6_ifreq
  const int s = ::socket(AF_INET6, SOCK_DGRAM, 0);
  ::inet_pton(AF_INET6, text, &request.address);
  bool good = ::ioctl(s, SIOCSIFADDR, &request) == 0 || errno == EEXIST;
  // For a moment it is nobody's source yet.
  sockaddr_in6 there{};
  there.sin6_family = AF_INET6;
  there.sin6_addr = request.address;
  there.sin6_scope_id = 1;
  const auto bound = [&] {
    return ::bind(s, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0;
  };
  for (int tries = 500; good && !bound(); --tries) {
    good = tries > 0;
    ::usleep(10'000);
  }
  ::close(s);
  return good;
}

}  // namespace wigeon
