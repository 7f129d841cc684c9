// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/program.hh"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace wigeon::bench;

namespace {

std::optional<Options> read(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (auto& w : words) arguments.push_back(w.data());
  return read_options(arguments);
}

}  // namespace

TEST_CASE("options come in any order, and none is needed") {
  const auto none = read({});
  REQUIRE(none);
  CHECK_FALSE(none->quick);
  CHECK_FALSE(none->rounds);
  const auto all = read({"--rounds", "3", "--json", "f", "--quick", "--only", "W1,W2"});
  REQUIRE(all);
  CHECK(all->quick);
  CHECK(all->rounds == 3);
  CHECK(all->json == "f");
  CHECK(all->only == "W1,W2");
}

TEST_CASE("an option without its value, without sense or unknown is refused") {
  CHECK_FALSE(read({"--only"}));
  CHECK_FALSE(read({"--rounds", "0"}));
  CHECK_FALSE(read({"--rounds", "1001"}));
  CHECK_FALSE(read({"--rounds", "x"}));
  CHECK_FALSE(read({"--more", "1"}));
}

TEST_CASE("a part is wanted by any of its names, whole, or when nothing is asked for") {
  CHECK(wanted("W1,W2", ""));
  CHECK(wanted("W1,W2", "W2"));
  CHECK(wanted("W1", "W3,W1"));
  CHECK_FALSE(wanted("W1", "W10"));
  CHECK_FALSE(wanted("W10", "W1"));
}
