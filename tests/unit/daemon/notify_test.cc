// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/notify.hh"

#include <sys/socket.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>

#include "agent/base/owned.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;

TEST_CASE("a status text can say nothing else to the service manager") {
  TempDir dir;
  const UniqueFd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un at{.sun_family = AF_UNIX, .sun_path = {}};
  const auto path = dir.path() + "/notify";
  std::memcpy(at.sun_path, path.c_str(), path.size() + 1);
  REQUIRE(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  notify::status("m: /Serial: too old\nMAINPID=1\nSTOPPING=1");
  ::unsetenv("NOTIFY_SOCKET");
  char buffer[256];
  const auto n = ::recv(manager.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  REQUIRE(n > 0);
  CHECK(std::string(buffer, static_cast<size_t>(n)) ==
        "STATUS=m: /Serial: too old; MAINPID=1; STOPPING=1");
}
