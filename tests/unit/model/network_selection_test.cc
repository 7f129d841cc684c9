// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/network_selection.hh"

#include <catch2/catch.hpp>

using namespace wigeon;

namespace {

using Ids = std::vector<std::string>;

const std::vector<AvailableNetwork> kPlain{{"a"}, {"b"}, {"c"}};
const std::vector<AvailableNetwork> kExits{
    {"lan"}, {"x", true}, {"x-v6", true}, {"y", true}, {"z", true, false}};

std::string used(const NetworkSelection& s,
                 const std::vector<AvailableNetwork>& available) {
  const auto in_use = networks_in_use(s, available);
  std::string out;
  for (size_t i = 0; i < available.size(); ++i)
    if (in_use.used[i]) out += (out.empty() ? "" : " ") + available[i].id;
  return out;
}

NetworkSelection select(const NetworkSelection& s, const Ids& ids,
                        SelectMode mode = SelectMode::replace,
                        const std::vector<AvailableNetwork>& available = kPlain) {
  const auto r = select_networks(s, available, ids, mode);
  REQUIRE(r);
  return *r;
}

NetworkSelection deselect(const NetworkSelection& s, const Ids& ids,
                          const std::vector<AvailableNetwork>& available = kPlain) {
  const auto r = deselect_networks(s, available, ids);
  REQUIRE(r);
  return *r;
}

}  // namespace

TEST_CASE("all networks are selected by default") { CHECK(used({}, kPlain) == "a b c"); }

TEST_CASE("select replaces the selection, or adds to it") {
  auto s = select({}, {"b"});
  CHECK(used(s, kPlain) == "b");
  s = select(s, {"c"}, SelectMode::append);
  CHECK(used(s, kPlain) == "b c");
  s = select(s, {"a"});
  CHECK(used(s, kPlain) == "a");
  CHECK(used(select_all_networks(s, kPlain), kPlain) == "a b c");
}

TEST_CASE("deselect takes some or all") {
  auto s = deselect({}, {"b", "c"});
  CHECK(used(s, kPlain) == "a");
  s = deselect_all_networks(s);
  CHECK(used(s, kPlain) == "");
  CHECK(used(deselect(s, {"a"}), kPlain) == "");
  // After all are gone, adding begins with none.
  CHECK(used(select(s, {"b"}, SelectMode::append), kPlain) == "b");
}

TEST_CASE("a new network is selected, unless all are deselected") {
  auto more = kPlain;
  more.push_back({"d"});
  CHECK(used(select({}, {"b"}), more) == "b d");
  CHECK(used(deselect({}, {"b"}), more) == "a c d");
  CHECK(used(deselect_all_networks({}), more) == "");
}

TEST_CASE("an id that is not available changes nothing and is named") {
  const Ids ids{"a", "nope", "b", "neither"};
  const auto r = select_networks({}, kPlain, ids, SelectMode::replace);
  REQUIRE_FALSE(r);
  CHECK(r.error().code == ENOENT);
  CHECK(r.error().what ==
        "route 'nope' is not available; route 'neither' is not available");
  const Ids one{"x\n"};
  CHECK(deselect_networks({}, kPlain, one).error().what ==
        "route 'x\\u000a' is not available");
}

TEST_CASE("what was selected is found again when its network comes back") {
  const auto s = deselect({}, {"b"});
  CHECK(used(s, {{"a"}, {"c"}}) == "a c");
  CHECK(used(s, kPlain) == "a c");
}

TEST_CASE("what does not apply by itself waits until it is selected") {
  const std::vector<AvailableNetwork> available{{"a"}, {"b", false, false}};
  CHECK(used({}, available) == "a");
  CHECK(used(select({}, {"b"}, SelectMode::append, available), available) == "a b");
  CHECK(used(select_all_networks({}, available), available) == "a b");
}

TEST_CASE("one exit node is used, its twin follows it, and it stays the one") {
  CHECK(used({}, kExits) == "lan x x-v6");
  NetworkSelection s{.exit_node = networks_in_use({}, kExits).exit_node};
  CHECK(s.exit_node == "x");
  auto more = kExits;
  more.insert(more.begin(), {"a", true});
  CHECK(used(s, more) == "lan x x-v6");
  s = select(s, {"y"}, SelectMode::append, kExits);
  CHECK(used(s, kExits) == "lan y");
  CHECK(s.exit_node == "y");
  CHECK(used(select(s, {"z"}, SelectMode::append, kExits), kExits) == "lan z");
  CHECK(used(select(s, {"x-v6"}, SelectMode::append, kExits), kExits) == "lan x x-v6");
  CHECK(used(select(s, {"x", "x-v6"}, SelectMode::replace, kExits), kExits) == "x x-v6");
}

TEST_CASE("traffic is not handed to an exit node nobody chose") {
  CHECK(used(deselect({}, {"x"}, kExits), kExits) == "lan");
  CHECK(used(deselect({}, {"x-v6"}, kExits), kExits) == "lan");
  const auto y = select({}, {"y"}, SelectMode::append, kExits);
  CHECK(used(deselect(y, {"y"}, kExits), kExits) == "lan");
  // One that is not in use goes alone.
  CHECK(used(deselect(y, {"x"}, kExits), kExits) == "lan y");
  // The chosen one is away for a while.
  CHECK(used(y, {{"lan"}, {"x", true}}) == "lan");
  CHECK(used(y, kExits) == "lan y");
}

TEST_CASE("select all brings back what applies by itself, and the pick") {
  const auto none = deselect_all_networks({});
  CHECK(used(select_all_networks(none, kExits), kExits) == "lan x x-v6");
  const auto z = select({}, {"z"}, SelectMode::append, kExits);
  CHECK(used(select_all_networks(z, kExits), kExits) == "lan z");
}

TEST_CASE("two exit nodes at a time are refused") {
  const Ids both{"x", "y"};
  const auto r = select_networks({}, kExits, both, SelectMode::append);
  REQUIRE_FALSE(r);
  CHECK(r.error().code == EINVAL);
  CHECK(r.error().what == "only one exit node can be used: 'x' or 'y'");
}

TEST_CASE("a twin without its exit node stands alone") {
  const std::vector<AvailableNetwork> available{{"w"}, {"w-v6", true}};
  CHECK(used({}, available) == "w w-v6");
  CHECK(used(deselect({}, {"w"}, available), available) == "w-v6");
}

TEST_CASE("the selection survives its file") {
  NetworkSelection s{.deselected_all = true,
                     .deselected = {"a", "b \"quoted\""},
                     .selected = {"ü"},
                     .exit_node = "x"};
  CHECK(encode(s) ==
        "{\"deselectedAll\":true,\"deselected\":[\"a\",\"b \\\"quoted\\\"\"],"
        "\"selected\":[\"ü\"],\"exitNode\":\"x\"}\n");
  CHECK(*decode_selection(encode(s), "f") == s);
  CHECK(*decode_selection("{}", "f") == NetworkSelection{});
  CHECK(*decode_selection(R"({"selected":["b","a","b"],"newer":1})", "f") ==
        NetworkSelection{.selected = {"a", "b"}});
}

TEST_CASE("a broken file is refused by its place") {
  const auto why = [](std::string_view json) {
    const auto s = decode_selection(json, "networks.json");
    return s ? std::string() : s.error().what;
  };
  CHECK(why("").starts_with("networks.json: "));
  CHECK(why("[]").starts_with("networks.json: "));
  CHECK(why(R"({"selected":["a",1]})").starts_with("networks.json: /selected/1: "));
  CHECK(why(R"({"deselectedAll":"yes"})").starts_with("networks.json: /deselectedAll: "));
  std::string many = "\"a\"";
  for (size_t i = 0; i < kMaxSelectionIds; ++i) many += ",\"a\"";
  CHECK(why("{\"selected\":[" + many + "]}").starts_with("networks.json: /selected"));
}

TEST_CASE("what is gone is forgotten when there is too much to remember") {
  NetworkSelection s;
  for (size_t i = 0; i < kMaxSelectionIds; ++i) s.deselected.push_back(std::to_string(i));
  std::ranges::sort(s.deselected);
  CHECK(deselect(s, {"b"}).deselected == Ids{"b"});
}
