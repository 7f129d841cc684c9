// SPDX-License-Identifier: GPL-2.0-or-later
// Who may do what, tried by processes of other users. Needs root to become them.
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/control/served.hh"

using namespace wigeon;

namespace {

constexpr gid_t kGroup = 61184;
constexpr uid_t kUser = 61185;

bool skip_without_root() {
  if (::geteuid() == 0) return false;
  WARN("needs root to become other users");
  return true;
}

struct Identity {
  gid_t gid;
  std::vector<gid_t> supplementary;
};

// What a process of kUser with these groups gets as answer to one line; "" when it cannot
// even connect.
std::string ask_as(Served& served, const Identity& who, std::string_view line) {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  UniqueFd from(pipe[0]), to(pipe[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    // No assertions here: only the parent reports.
    if (::setgroups(who.supplementary.size(), who.supplementary.data()) != 0 ||
        ::setgid(who.gid) != 0 || ::setuid(kUser) != 0)
      ::_exit(2);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un sun{};
    sun.sun_family = AF_UNIX;
    std::memcpy(sun.sun_path, served.path().data(), served.path().size());
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&sun), sizeof sun) != 0)
      ::_exit(3);
    (void)!::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
    char buffer[4096];
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n > 0) (void)!::write(to.get(), buffer, static_cast<size_t>(n));
    ::_exit(0);
  }
  to.reset();
  int status = 0;
  REQUIRE(served.until([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }));
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 3) return "";
  REQUIRE(WEXITSTATUS(status) == 0);
  char buffer[4096];
  const ssize_t n = ::read(from.get(), buffer, sizeof buffer);
  return {buffer, n > 0 ? static_cast<size_t>(n) : 0};
}

void open_for_all(const Served& served) {
  REQUIRE(::chmod(served.dir.path().c_str(), 0755) == 0);
}

constexpr std::string_view kReload = "{\"id\":1,\"method\":\"reload\"}\n";

}  // namespace

TEST_CASE("members of the group are known by their first and by supplementary groups") {
  if (skip_without_root()) return;
  Served served({}, kGroup);
  open_for_all(served);
  CHECK(ask_as(served, {.gid = kGroup, .supplementary = {}}, kAskVersion) ==
        kVersionAnswer);
  std::vector<gid_t> many(100);
  for (gid_t i = 0; i < 100; ++i) many[i] = 50000 + i;
  many.push_back(kGroup);
  CHECK(ask_as(served, {.gid = kUser, .supplementary = many}, kAskVersion) ==
        kVersionAnswer);
}

TEST_CASE("what is for root is refused to members") {
  if (skip_without_root()) return;
  Served served({}, kGroup);
  open_for_all(served);
  bool called = false;
  served->on("reload", Permission::root_change, [&](Request, Server::Reply reply) {
    called = true;
    reply.result("{}");
  });
  CHECK(ask_as(served, {.gid = kGroup, .supplementary = {}}, kReload) ==
        "{\"id\":1,\"error\":{\"code\":\"not_permitted\",\"exit\":4,"
        "\"message\":\"reload is for root only\"}}\n");
  CHECK_FALSE(called);
  RawClient root(served.path());
  root.send(kReload);
  CHECK(served.until([&] { return root.lines() == 1; }));
  CHECK(called);
}

TEST_CASE("others cannot connect, and get nothing if they can") {
  if (skip_without_root()) return;
  Served served({}, kGroup);
  open_for_all(served);
  const Identity other{.gid = kUser, .supplementary = {}};
  CHECK(ask_as(served, other, kAskVersion).empty());
  REQUIRE(::chmod(served.path().c_str(), 0666) == 0);
  CHECK(ask_as(served, other, kAskVersion).find("\"not_permitted\"") !=
        std::string::npos);
}

TEST_CASE("the long requests of root are not for members") {
  if (skip_without_root()) return;
  Served served({.small_request = 1000}, kGroup);
  open_for_all(served);
  const auto answer =
      ask_as(served, {.gid = kGroup, .supplementary = {}}, std::string(2000, 'x'));
  CHECK(answer.find("root may send more") != std::string::npos);
}

TEST_CASE("some connections are kept for root") {
  if (skip_without_root()) return;
  Served served({.connections = 4, .kept_for_root = 2}, kGroup);
  open_for_all(served);
  RawClient one(served.path()), two(served.path());
  REQUIRE(served.until([&] { return served->connections() == 2; }));
  CHECK(ask_as(served, {.gid = kGroup, .supplementary = {}}, kAskVersion)
            .find("\"busy\"") != std::string::npos);
  RawClient three(served.path());
  three.send(kAskVersion);
  CHECK(served.until([&] { return three.lines() == 1; }));
}

TEST_CASE("permissions are a table") {
  const Caller nobody{}, member{.member = true}, root{.root = true};
  for (const auto p : {Permission::read, Permission::change, Permission::root_read,
                       Permission::root_change}) {
    CHECK(root.may(p));
    CHECK_FALSE(nobody.may(p));
    CHECK(member.may(p) == (p == Permission::read || p == Permission::change));
  }
}
