// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/journal.hh"

#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <functional>

#include "agent/base/file.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;

namespace {
const JournalEntry kLink{"link", "wt0 wireguard wigeon:1"};
const JournalEntry kRule{"rule", "pref 105 lookup 7120"};

std::vector<JournalChange> routes(bool add, size_t count) {
  std::vector<JournalChange> changes;
  for (size_t i = 0; i < count; ++i)
    changes.push_back(
        {add, {"route", "unreachable 10.0.0.0/8 metric " + std::to_string(i)}});
  return changes;
}

size_t size_of(const std::string& path) { return std::filesystem::file_size(path); }

// Writes come and go until 1,000 more lines make the file too large.
void fill(Journal& j, const std::string& path) {
  const auto add = routes(true, 100), gone = routes(false, 100);
  while (size_of(path) + 20000 <= Journal::kCompactAbove) {
    REQUIRE(j.write(add));
    REQUIRE(j.write(gone));
  }
}

// Runs `work` in a child that is killed before its n-th system call from here on. False
// when it came to its end.
bool killed_before(int n, const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    (void)::raise(SIGSTOP);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  // Each call stops twice, before and after.
  for (int stops = 0; WIFSTOPPED(status); ++stops) {
    if (stops == 2 * n - 1) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return true;
    }
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr);
    ::waitpid(pid, &status, 0);
  }
  return false;
}
}  // namespace

TEST_CASE("what was written is there after opening again, what was undone is not") {
  const TempDir dir;
  const auto path = dir.path() + "/journal";
  {
    auto j = Journal::open(path).value();
    REQUIRE(j.write({{true, kLink}, {true, kRule}}));
    REQUIRE(j.write({{false, kRule}}));
  }
  const auto j = Journal::open(path).value();
  CHECK(j.entries() == std::set<JournalEntry>{kLink});
  CHECK(read_file(path, 1000).value() == "v1 + link wt0 wireguard wigeon:1\n");
}

TEST_CASE(
    "every prefix of a journal's bytes is readable: a torn line was never written") {
  const std::string text =
      "v1 + link wt0 wireguard wigeon:1\nv1 + rule a b\nv1 - rule a b\n";
  for (size_t n = 0; n <= text.size(); ++n) {
    const auto entries = read_journal(std::string_view(text).substr(0, n));
    REQUIRE(entries);
    CHECK(entries->size() <= 2);
  }
}

TEST_CASE("a corrupt journal is moved aside and a new one begun") {
  const TempDir dir;
  const auto path = dir.path() + "/journal";
  for (const std::string bad :
       {"garbage\n", "v2 + link a b\n", "v1 * link a b\n", "\n"}) {
    REQUIRE(replace_file(path, bad, 0600));
    auto j = Journal::open(path).value();
    CHECK(j.moved_aside() == path + ".corrupt");
    CHECK(read_file(path + ".corrupt", 100).value() == bad);
    CHECK(j.entries().empty());
    CHECK(j.write({{true, kLink}}));
  }
}

TEST_CASE("writing what is there already costs nothing") {
  const TempDir dir;
  const auto path = dir.path() + "/journal";
  auto j = Journal::open(path).value();
  REQUIRE(j.write({{true, kLink}}));
  const auto before = read_file(path, 1000).value();
  REQUIRE(j.write({{true, kLink}, {false, kRule}}));
  CHECK(read_file(path, 1000).value() == before);
}

TEST_CASE("a journal that is written all the time is compacted, and written on") {
  const TempDir dir;
  const auto path = dir.path() + "/journal";
  auto j = Journal::open(path).value();
  REQUIRE(j.write({{true, kLink}}));
  size_t largest = 0;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(j.write(routes(true, 100)));
    REQUIRE(j.write(routes(false, 100)));
    largest = std::max(largest, size_of(path));
  }
  CHECK(largest > Journal::kCompactAbove / 2);
  CHECK(largest <= Journal::kCompactAbove);
  CHECK(size_of(path) < Journal::kCompactAbove);
  struct stat s {};
  REQUIRE(::stat(path.c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0600);
  REQUIRE(j.write({{true, kRule}}));
  CHECK(Journal::open(path).value().entries() == std::set{kLink, kRule});
}

TEST_CASE("a journal whose lines are mostly live is left as it is") {
  const TempDir dir;
  const auto path = dir.path() + "/journal";
  auto j = Journal::open(path).value();
  REQUIRE(j.write(routes(true, 10000)));
  const auto live = size_of(path);
  REQUIRE(live > Journal::kCompactAbove);
  struct stat before {
  }, after{};
  REQUIRE(::stat(path.c_str(), &before) == 0);
  REQUIRE(j.write({{true, kLink}}));
  REQUIRE(j.write(routes(false, 5)));
  REQUIRE(::stat(path.c_str(), &after) == 0);
  CHECK(after.st_ino == before.st_ino);
  CHECK(size_of(path) > live);
  // Twice what is live, and it goes.
  REQUIRE(j.write(routes(false, 10000)));
  CHECK(read_file(path, 1000).value() == "v1 + link wt0 wireguard wigeon:1\n");
}

TEST_CASE("compacting that fails loses nothing and is tried again") {
  const TempDir dir;
  const auto path = dir.path() + "/journal", aside = dir.path() + "/aside";
  auto j = Journal::open(path).value();
  REQUIRE(j.write({{true, kLink}}));
  fill(j, path);
  // Under a directory's name nothing can be renamed, nor opened for writing.
  std::filesystem::rename(path, aside);
  std::filesystem::create_directory(path);
  CHECK(j.write(routes(true, 1000)));
  CHECK_FALSE(j.write({{true, kRule}}));
  CHECK_FALSE(j.entries().contains(kRule));
  std::filesystem::remove(path);
  std::filesystem::rename(aside, path);
  REQUIRE(j.write({{true, kRule}}));
  REQUIRE(j.write(routes(false, 1000)));
  CHECK(Journal::open(path).value().entries() == std::set{kLink, kRule});
}

TEST_CASE("killed before any system call of compacting, a journal keeps its entries") {
  int deaths = 0;
  for (bool died = true; died; ++deaths) {
    const TempDir dir;
    const auto path = dir.path() + "/journal";
    auto j = Journal::open(path).value();
    REQUIRE(j.write({{true, kLink}}));
    fill(j, path);
    died = killed_before(deaths + 1, [&] {
      if (!j.write(routes(true, 1000)) || !j.write({{true, kRule}})) ::_exit(1);
    });
    const auto entries = Journal::open(path).value().entries();
    INFO("killed before call " << deaths + 1);
    CHECK(entries.contains(kLink));
    const auto torn = entries.size() < 1001;
    CHECK((!torn || !entries.contains(kRule)));
    if (!died) CHECK(entries.size() == 1002);
  }
  // write, sync, a new file with mode, content and sync, rename, sync of the directory …
  CHECK(deaths > 12);
}
