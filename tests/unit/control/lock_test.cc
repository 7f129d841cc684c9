// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/lock.hh"

#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include "agent/base/file.hh"
#include "agent/control/listener.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;

TEST_CASE("the second daemon is told who holds the lock") {
  const TempDir dir;
  const auto run = dir.path() + "/run";
  auto first = Lock::take(run);
  REQUIRE(first);
  struct stat st {};
  REQUIRE(::stat(run.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0755);
  const auto second = Lock::take(run);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == EALREADY);
  CHECK(second.error().what ==
        "another daemon (pid " + std::to_string(::getpid()) + ") runs in " + run);
}

TEST_CASE("the lock is free again when its holder has gone") {
  const TempDir dir;
  { REQUIRE(Lock::take(dir.path())); }
  CHECK(Lock::take(dir.path()));
}

TEST_CASE("a lock file without a pid still locks") {
  const TempDir dir;
  auto first = Lock::take(dir.path());
  REQUIRE(first);
  REQUIRE(::truncate((dir.path() + "/lock").c_str(), 0) == 0);
  CHECK(Lock::take(dir.path()).error().what == "another daemon runs in " + dir.path());
}

TEST_CASE("a runtime directory that others can write to is refused") {
  const TempDir dir;
  REQUIRE(::chmod(dir.path().c_str(), 0777) == 0);
  CHECK(Lock::take(dir.path()).error().code == EPERM);
  CHECK(::access((dir.path() + "/lock").c_str(), F_OK) != 0);
}

TEST_CASE("a lock that is a symbolic link is refused") {
  const TempDir dir;
  REQUIRE(::symlink("/dev/null", (dir.path() + "/lock").c_str()) == 0);
  CHECK(Lock::take(dir.path()).error().code == ELOOP);
}

TEST_CASE("the socket of a dead daemon is replaced and our own is removed at the end") {
  const TempDir dir;
  const auto lock = *Lock::take(dir.path());
  const auto path = dir.path() + "/wigeon.sock";
  struct stat st {};
  {
    auto dead = Listener::open(path, {}, lock);
    REQUIRE(dead);
    // As after kill -9: the name stays, with nobody behind it.
    REQUIRE(::rename(path.c_str(), (path + ".old").c_str()) == 0);
  }
  REQUIRE(::rename((path + ".old").c_str(), path.c_str()) == 0);
  {
    auto listener = Listener::open(path, ::getegid(), lock);
    REQUIRE(listener);
    REQUIRE(::stat(path.c_str(), &st) == 0);
    CHECK((st.st_mode & 07777) == 0660);
  }
  CHECK(::stat(path.c_str(), &st) != 0);
}

TEST_CASE("without a group only the owner can connect, whatever the umask") {
  const TempDir dir;
  const auto lock = *Lock::take(dir.path());
  const auto path = dir.path() + "/wigeon.sock";
  const mode_t before = ::umask(0);
  auto listener = Listener::open(path, {}, lock);
  ::umask(before);
  REQUIRE(listener);
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0600);
}

TEST_CASE("a file under the socket's name is left alone") {
  const TempDir dir;
  const auto lock = *Lock::take(dir.path());
  const auto path = dir.path() + "/wigeon.sock";
  REQUIRE(replace_file(path, "precious", 0600));
  CHECK(Listener::open(path, {}, lock).error().code == EEXIST);
  CHECK(*read_file(path, 100) == "precious");
  CHECK(Listener::open(dir.path() + "/" + std::string(120, 'x'), {}, lock).error().code ==
        ENAMETOOLONG);
}
