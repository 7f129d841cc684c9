// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/journal.hh"

#include <catch2/catch.hpp>

#include "agent/base/file.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;

namespace {
const JournalEntry kLink{"link", "wt0 wireguard wigeon:1"};
const JournalEntry kRule{"rule", "pref 105 lookup 7120"};
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
