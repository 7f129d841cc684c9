// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/map_source.hh"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "agent/base/file.hh"
#include "agent/daemon/map_cache.hh"
#include "agent/daemon/state_files.hh"
#include "agent/model/limits.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// What a source tells: contents, or "missing", or "error".
struct Told {
  Loop loop = *Loop::open();
  TempDir dir{};
  std::string path = dir.path() + "/etc/map.json";
  std::vector<std::string> all{};
  std::optional<MapSource> source{};

  Told() { fs::create_directories(dir.path() + "/etc"); }

  void start() {
    auto opened = MapSource::open(loop, path, [this](MapSource::Update u) {
      all.push_back(u.bytes ? *u.bytes : u.missing ? "missing" : "error");
    });
    REQUIRE(opened);
    source.emplace(std::move(*opened));
  }
  // The next news, waited for.
  std::string next() {
    const size_t before = all.size();
    for (int i = 0; i < 500 && all.size() == before; ++i) REQUIRE(loop.run_once(10ms));
    return all.size() == before ? "nothing" : all[before];
  }
  // Whatever is told within a time in which every event has been heard and settled.
  size_t rest() {
    const size_t before = all.size();
    const auto end = Loop::now() + 4 * kMapSettle;
    while (Loop::now() < end) REQUIRE(loop.run_once(10ms));
    return all.size() - before;
  }
  void write(std::string_view text) const { std::ofstream(path) << text; }
};

}  // namespace

TEST_CASE("the present content is told at once, a missing file too") {
  Told there, gone;
  there.write("1");
  there.start();
  CHECK(there.all == std::vector<std::string>{"1"});
  gone.start();
  CHECK(gone.all == std::vector<std::string>{"missing"});
  CHECK(there.rest() == 0);
}

TEST_CASE("a rename, a write in place, a deletion and a return are told") {
  Told t;
  t.write("1");
  t.start();
  REQUIRE(replace_file(t.path, "2", 0644));
  CHECK(t.next() == "2");
  t.write("3");
  CHECK(t.next() == "3");
  fs::remove(t.path);
  CHECK(t.next() == "missing");
  t.write("3");
  CHECK(t.next() == "3");
  fs::create_hard_link(t.path, t.dir.path() + "/other");
  fs::remove(t.path);
  CHECK(t.next() == "missing");
  fs::create_hard_link(t.dir.path() + "/other", t.path);
  CHECK(t.next() == "3");
}

TEST_CASE("the same content is told once, other files in the directory never") {
  Told t;
  t.write("1");
  t.start();
  t.write("1");
  REQUIRE(replace_file(t.path, "1", 0600));
  std::ofstream(t.dir.path() + "/etc/other.json") << "x";
  CHECK(t.rest() == 0);
}

TEST_CASE("a half-written file is completed by the close of its writer") {
  Told t;
  t.start();
  std::ofstream out(t.path);
  out << "hal" << std::flush;
  CHECK(t.rest() == 0);
  out << "ves" << std::flush;
  out.close();
  CHECK(t.next() == "halves");
}

TEST_CASE("many writes are one piece of news") {
  Told t;
  t.start();
  for (int i = 0; i < 100; ++i) t.write(std::to_string(i));
  CHECK(t.next() == "99");
  CHECK(t.rest() == 0);
}

TEST_CASE("the directory may be missing, appear, go and come back") {
  Told t;
  t.path = t.dir.path() + "/a/b/c/map.json";
  t.start();
  CHECK(t.all.back() == "missing");
  fs::create_directories(t.dir.path() + "/a/b/c");
  t.write("1");
  CHECK(t.next() == "1");
  fs::rename(t.dir.path() + "/a/b", t.dir.path() + "/a/old");
  CHECK(t.next() == "missing");
  fs::create_directories(t.dir.path() + "/a/b/c");
  CHECK(t.rest() == 0);
  t.write("2");
  CHECK(t.next() == "2");
  fs::remove_all(t.dir.path() + "/a");
  CHECK(t.next() == "missing");
  fs::create_directories(t.dir.path() + "/a/b/c");
  t.write("3");
  CHECK(t.next() == "3");
}

TEST_CASE("symlinks may be swapped, as for a ConfigMap, or lead elsewhere") {
  Told t;
  const auto etc = t.dir.path() + "/etc";
  for (const auto* version : {"1", "2"}) {
    fs::create_directory(etc + "/.." + version);
    std::ofstream(etc + "/.." + version + "/map.json") << version;
  }
  fs::create_symlink("..1", etc + "/..data");
  fs::create_symlink("..data/map.json", t.path);
  t.start();
  CHECK(t.all.back() == "1");
  fs::create_symlink("..2", etc + "/..tmp");
  fs::rename(etc + "/..tmp", etc + "/..data");
  CHECK(t.next() == "2");
  // A write where the link leads is heard there.
  std::ofstream(etc + "/..2/map.json") << "3";
  CHECK(t.next() == "3");
}

TEST_CASE("reload tells again even when nothing changed") {
  Told t;
  t.write("1");
  t.start();
  t.source->reload();
  CHECK(t.all == std::vector<std::string>{"1", "1"});
}

TEST_CASE("what cannot be read is an error, not a missing file, and not waited for") {
  Told directory, fifo, huge;
  fs::create_directory(directory.path);
  directory.start();
  CHECK(directory.all.back() == "error");
  REQUIRE(::mkfifo(fifo.path.c_str(), 0600) == 0);
  fifo.start();
  CHECK(fifo.all.back() == "error");
  huge.write("");
  fs::resize_file(huge.path, 100'000'000);
  huge.start();
  CHECK(huge.all.back() == "error");
  fs::resize_file(huge.path, 0);
  huge.write("1");
  CHECK(huge.next() == "1");
}

TEST_CASE("a relative path is refused") {
  auto loop = *Loop::open();
  CHECK_FALSE(MapSource::open(loop, "map.json", [](MapSource::Update) {}));
}

TEST_CASE("a source that goes takes its watches along") {
  Told t;
  t.write("1");
  t.start();
  t.write("2");
  t.source.reset();
  CHECK(t.rest() == 0);
}

TEST_CASE("the last good map is kept for root alone and read back") {
  TempDir dir;
  CHECK(read_last_good(dir.path()).error().code == ENOENT);
  REQUIRE(save_last_good(dir.path(), "map"));
  struct stat st {};
  REQUIRE(::stat(last_good_file(dir.path()).c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  CHECK(*read_last_good(dir.path()) == "map");
  REQUIRE(save_last_good(dir.path(), "newer"));
  CHECK(*read_last_good(dir.path()) == "newer");
  fs::permissions(last_good_file(dir.path()), fs::perms::all);
  CHECK(read_last_good(dir.path()).error().code == EPERM);
}
