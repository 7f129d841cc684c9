// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/pins.hh"

#include <linux/pkt_cls.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/bpf/own_namespace.hh"
#include "tests/bpf/programs.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

namespace {

constexpr uid_t kNobody = 65534;

int refused(const std::string& path) {
  const auto pins = PinDirectory::open(path);
  REQUIRE(!pins);
  CHECK(pins.error().what.starts_with(path + ": "));
  return pins.error().code;
}

}  // namespace

TEST_CASE(
    "the pin directory is made with mode 0700, whatever the umask, and found again") {
  const std::string path = bpffs() + "/made";
  const mode_t before = ::umask(0777);
  REQUIRE(PinDirectory::open(path));
  ::umask(before);
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0700);
  CHECK(PinDirectory::open(path));
}

TEST_CASE("a pin directory that others could write or own is refused and not repaired") {
  const std::string path = bpffs() + "/foreign";
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  SECTION("owner") {
    REQUIRE(::chown(path.c_str(), kNobody, kNobody) == 0);
    CHECK(refused(path) == EPERM);
    struct stat st {};
    REQUIRE(::stat(path.c_str(), &st) == 0);
    CHECK(st.st_uid == kNobody);
  }
  SECTION("mode") {
    for (const mode_t mode : {0755u, 0770u, 0701u, 01700u}) {
      REQUIRE(::chmod(path.c_str(), mode) == 0);
      CHECK(refused(path) == EPERM);
    }
  }
  REQUIRE(::rmdir(path.c_str()) == 0);
}

TEST_CASE("a symbolic link, a missing parent and another file system are refused") {
  const TempDir elsewhere;
  REQUIRE(::mkdir((elsewhere.path() + "/real").c_str(), 0700) == 0);
  const std::string link = elsewhere.path() + "/link";
  REQUIRE(::symlink("real", link.c_str()) == 0);
  CHECK(refused(link) == ENOTDIR);
  CHECK(refused(bpffs() + "/none/wigeon") == ENOENT);
  CHECK(refused(elsewhere.path() + "/new") == ENOTSUP);
  CHECK(!std::filesystem::exists(elsewhere.path() + "/new"));
}

TEST_CASE("a pin is replaced in one step and removed once") {
  const auto pins = PinDirectory::open(bpffs() + "/steps").value();
  const UniqueFd one = always(BPF_PROG_TYPE_SCHED_CLS, TC_ACT_OK);
  const UniqueFd two = always(BPF_PROG_TYPE_SCHED_CLS, TC_ACT_SHOT);
  const auto id = [](int fd) {
    bpf_prog_info info{};
    __u32 length = sizeof(info);
    REQUIRE(::bpf_obj_get_info_by_fd(fd, &info, &length) == 0);
    return info.id;
  };
  CHECK(!pins.get("thing").value());
  REQUIRE(pins.put(one.get(), "thing"));
  REQUIRE(pins.put(two.get(), "thing"));
  CHECK(id(pins.get("thing").value()->get()) == id(two.get()));
  CHECK(pins.list().value() == std::vector<std::string>{"thing"});

  // What a crash between pinning and renaming leaves.
  REQUIRE(pins.put(one.get(), "thing_new"));
  REQUIRE(pins.put(one.get(), "thing"));
  CHECK(id(pins.get("thing").value()->get()) == id(one.get()));
  CHECK(pins.list().value() == std::vector<std::string>{"thing"});

  REQUIRE(pins.remove("thing"));
  REQUIRE(pins.remove("thing"));
  CHECK(pins.list().value().empty());
}

TEST_CASE(
    "a pin directory keeps meaning the same folder when its path is taken by another") {
  const std::string path = bpffs() + "/kept", moved = bpffs() + "/moved";
  const auto pins = PinDirectory::open(path).value();
  REQUIRE(::rename(path.c_str(), moved.c_str()) == 0);
  REQUIRE(::mkdir(path.c_str(), 0777) == 0);
  const UniqueFd program = always(BPF_PROG_TYPE_SCHED_CLS, TC_ACT_OK);
  REQUIRE(pins.put(program.get(), "thing"));
  CHECK(std::filesystem::exists(moved + "/thing"));
  CHECK(std::filesystem::is_empty(path));
}
