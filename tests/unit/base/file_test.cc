// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/file.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/harness/temp_dir.hh"

using namespace wigeon;

TEST_CASE("replacing a file changes content and mode and leaves nothing beside it") {
  const TempDir dir;
  const auto path = dir.path() + "/a";
  REQUIRE(replace_file(path, "old", 0600));
  REQUIRE(replace_file(path, "new", 0644));
  CHECK(*read_file(path, 100) == "new");
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0644);
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("a new file never replaces one that is there") {
  const TempDir dir;
  const auto path = dir.path() + "/sub/a";
  REQUIRE(write_new_file(path, "first", 0600));
  CHECK(write_new_file(path, "second", 0600).error().code == EEXIST);
  CHECK(*read_file(path, 100) == "first");
}

TEST_CASE("reading refuses what is too large or not a regular file, without waiting") {
  const TempDir dir;
  const auto path = dir.path() + "/a";
  REQUIRE(replace_file(path, std::string(101, 'x'), 0600));
  CHECK(read_file(path, 100).error().code == EFBIG);
  CHECK(read_file(path, 101)->size() == 101);
  CHECK(read_file(dir.path(), 100).error().code == EINVAL);
  const auto fifo = dir.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(read_file(fifo, 100).error().code == EINVAL);
  CHECK(read_file(dir.path() + "/missing", 100).error().code == ENOENT);
}

TEST_CASE("a failed replacement leaves the old file") {
  const TempDir dir;
  CHECK_FALSE(replace_file(dir.path() + "/missing/a", "x", 0600));
  REQUIRE(make_directories(dir.path() + "/a/b", 0700));
  CHECK_FALSE(replace_file(dir.path() + "/a", "x", 0600));
  CHECK(std::filesystem::is_directory(dir.path() + "/a/b"));
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("another program is found where it is installed, or beside this one") {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  const auto here = self.parent_path().string(), name = self.filename().string();
  const auto folder = "../" + self.parent_path().filename().string();
  CHECK(program_near(folder, name) == here + "/" + folder + "/" + name);
  CHECK(program_near("../nowhere", name) == here + "/" + name);
  CHECK(program_near(folder, "nothing") == here + "/nothing");
}
