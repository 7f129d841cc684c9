// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/foreign_firewall.hh"

#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

// As nft 1.0.6 lists tests/netns/docker.rules, our table, and small ones named like
// firewalld's and a stranger's.
std::string listed(const std::string& name) {
  return source_file("tests/fuzz/corpus/nft_listing/" + name);
}

const ForeignChain kForward{"ip", "filter", "FORWARD"};
const ForeignChain kUser{"ip", "filter", "DOCKER-USER"};

ForeignRule rule(std::string comment, uint64_t handle = 7) {
  return {kUser, handle, std::move(comment)};
}

ForeignChains docker() { return {.dropping = {kForward}, .docker_user = {kUser}}; }

}  // namespace

TEST_CASE("chains are read as nft lists them") {
  const auto c = read_chains(listed("chains")).value();
  CHECK(c.dropping == std::vector{kForward, ForeignChain{"inet", "strict", "f"}});
  CHECK(c.docker_user == std::vector{kUser});
  CHECK(c.firewalld);
  CHECK(read_chains(R"({"nftables":[{"metainfo":{"version":"9"}}]})").value() ==
        ForeignChains{});
  CHECK(read_chains("{").error().code == EBADMSG);
}

TEST_CASE("our rules are known by their comments") {
  CHECK(read_our_rules(listed("docker_user")).value() ==
        std::vector{rule("wigeon: from wt0", 24)});
  CHECK(read_our_rules(listed("docker_forward")).value().empty());
}

TEST_CASE("Docker's user chain gets two rules where Docker drops, once") {
  const auto p = foreign_plan(docker(), {}, "wt0", IntoOverlay::nobody);
  REQUIRE(p.add.size() == 2);
  CHECK(p.add[0] == ChainRule{"ip", "filter", "DOCKER-USER", ChainRule::Passes::from_link,
                              "wt0", "wigeon: from wt0"});
  CHECK(p.add[1] == ChainRule{"ip", "filter", "DOCKER-USER",
                              ChainRule::Passes::replies_to_link, "wt0",
                              "wigeon: replies to wt0"});
  CHECK(
      p.edits ==
      std::vector<std::string>{
          "ip filter DOCKER-USER has two rules of ours (\"wigeon: from wt0\", \"wigeon: "
          "replies to wt0\"), because the policy of ip filter FORWARD is to drop what is "
          "forwarded"});
  CHECK(p.notes.empty());

  const auto again = foreign_plan(
      docker(), {rule("wigeon: from wt0", 1), rule("wigeon: replies to wt0", 2)}, "wt0",
      IntoOverlay::nobody);
  CHECK(again.add.empty());
  CHECK(again.remove.empty());
  CHECK(again.edits == p.edits);
}

TEST_CASE("who may open connections into the overlay changes one rule") {
  const auto p = foreign_plan(
      docker(), {rule("wigeon: from wt0", 1), rule("wigeon: replies to wt0", 2)}, "wt0",
      IntoOverlay::others);
  REQUIRE(p.add.size() == 1);
  CHECK(p.add[0].passes == ChainRule::Passes::all_to_link);
  CHECK(p.remove == std::vector{rule("wigeon: replies to wt0", 2)});
}

TEST_CASE("where Docker no longer drops, our rules go") {
  auto c = docker();
  c.dropping.clear();
  const auto p = foreign_plan(c, {rule("wigeon: from wt0")}, "wt0", IntoOverlay::nobody);
  CHECK(p.add.empty());
  CHECK(p.remove.size() == 1);
  CHECK(p.edits.empty());
}

TEST_CASE("rules of another link, of another chain and without our comment stay") {
  const std::vector<ForeignRule> present{
      rule("wigeon: from wt1"), rule("wigeon: from wt0x"), rule("wigeon: something")};
  CHECK(ours(present, "wt0").empty());
  CHECK(foreign_plan(docker(), present, "wt0", IntoOverlay::nobody).remove.empty());
}

TEST_CASE("an unknown chain that drops is told and nothing is edited") {
  const ForeignChains c{.dropping = {{"ip", "filter", "FORWARD"}, {"inet", "x", "f"}},
                        .more_dropping = 3};
  const auto p = foreign_plan(c, {}, "wt0", IntoOverlay::nobody);
  CHECK(p.add.empty());
  CHECK(p.edits.empty());
  CHECK(
      p.notes ==
      std::vector<std::string>{
          "ip filter FORWARD drops what is forwarded unless a rule there accepts it, and "
          "is not ours to change: packets of wt0 may not pass",
          "inet x f drops what is forwarded unless a rule there accepts it, and is not "
          "ours to change: packets of wt0 may not pass",
          "3 more chains drop what is forwarded"});
}

TEST_CASE("removal names each rule by its handle") {
  CHECK(removal({rule("wigeon: from wt0", 4), rule("wigeon: to wt0", 9)}) ==
        "delete rule ip filter DOCKER-USER handle 4\n"
        "delete rule ip filter DOCKER-USER handle 9\n");
  CHECK(removal({}).empty());
}
