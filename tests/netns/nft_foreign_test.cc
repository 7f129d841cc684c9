// SPDX-License-Identifier: GPL-2.0-or-later
// Beside Docker's rules, and what is left of us in them.
#include "agent/model/foreign_firewall.hh"
#include "agent/model/nft_ruleset.hh"
#include "netlink/nft_rule.hh"
#include "tests/netns/nft_hosts.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

NftTable table() {
  return {.link = "wt0",
          .overlay = {*Prefix::parse("100.64.0.0/16")},
          .own = {*Address::parse("100.64.0.1")},
          .routed = {{*Prefix::parse("10.1.0.0/16"), true}}};
}

void load_docker() {
  if (std::system("command -v iptables-nft-restore >/dev/null") != 0)
    skip("needs iptables-nft");
  run("ip link add docker0 type bridge && ip link set docker0 up");
  run("iptables-nft-restore " WIGEON_SOURCE "/tests/netns/docker.rules");
}

// Table by table: their order is not always the same. Its notes ("incompatible") too,
// without the ones that tell the time, and without counters.
std::string saved(const std::string& version = "") {
  const auto save = "ip" + version + "tables-nft-save 2>&1 -t ";
  return output_of("{ " + save + "filter; " + save +
                   "nat; } | sed '/ on /d; s/ \\[[0-9]*:[0-9]*\\]//'");
}

ForeignChains chains(Nftables& nft) {
  return read_chains(nft.list_chains().value()).value();
}

std::vector<ForeignRule> present(Nftables& nft, const ForeignChains& all) {
  std::vector<ForeignRule> rules;
  for (const auto& c : all.docker_user) {
    const auto some =
        read_our_rules(nft.list_chain(c.family, c.table, c.name).value()).value();
    rules.insert(rules.end(), some.begin(), some.end());
  }
  return rules;
}

ForeignPlan plan(Nftables& nft, IntoOverlay into = IntoOverlay::nobody,
                 std::string_view link = "wt0") {
  const auto all = chains(nft);
  return foreign_plan(all, present(nft, all), link, into);
}

void carry_out(Nftables& nft, const ForeignPlan& p) {
  REQUIRE(nft.apply(removal(p.remove)));
  const auto done = insert_rules(p.add);
  INFO((done ? "" : done.error().what));
  REQUIRE(done);
}

bool peer_reaches_lan(const Hosts& h) {
  const auto listener = h.lan->server("10.1.0.1:80", SOCK_STREAM);
  return connected(*h.peer, "10.1.0.1:80", listener.get(), std::chrono::milliseconds(500))
      .has_value();
}

bool lan_reaches_peer(const Hosts& h) {
  const auto listener = h.peer->server("100.64.0.9:80", SOCK_STREAM);
  return connected(*h.lan, "100.64.0.9:80", listener.get(),
                   std::chrono::milliseconds(500))
      .has_value();
}

}  // namespace

TEST_CASE(
    "Docker's policy to drop stops routed traffic until its user chain lets it pass") {
  const Hosts h;
  auto nft = nftables();
  load_docker();
  load(nft, ruleset(table()));
  REQUIRE_FALSE(peer_reaches_lan(h));

  carry_out(nft, plan(nft));
  CHECK(peer_reaches_lan(h));
  CHECK_FALSE(lan_reaches_peer(h));  // Docker's policy holds for all else

  carry_out(nft, plan(nft, IntoOverlay::others));
  CHECK(peer_reaches_lan(h));
  CHECK(lan_reaches_peer(h));
}

TEST_CASE("rules of ours are written once, and iptables reads the table as before") {
  const Hosts h;
  auto nft = nftables();
  load_docker();
  const auto before = saved();
  REQUIRE(before.contains("-A DOCKER-USER -j RETURN"));

  const auto first = plan(nft);
  REQUIRE(first.add.size() == 2);
  carry_out(nft, first);
  const auto during = saved();
  INFO(during);
  CHECK_FALSE(during.contains("incompatible"));
  const auto from = during.find(
      "-A DOCKER-USER -i wt0 -m comment --comment \"wigeon: from wt0\" -j ACCEPT");
  const auto replies = during.find(
      "-A DOCKER-USER -o wt0 -m conntrack --ctstate RELATED,ESTABLISHED -m comment "
      "--comment \"wigeon: replies to wt0\" -j ACCEPT");
  CHECK(from < replies);
  CHECK(replies < during.find("-A DOCKER-USER -j RETURN"));
  run("iptables-nft -I DOCKER-USER -s 192.0.2.1 -j DROP");  // Docker and its users go on

  const auto again = plan(nft);
  CHECK(again.add.empty());
  CHECK(again.remove.empty());
  CHECK(again.edits.size() == 1);

  run("iptables-nft -D DOCKER-USER -s 192.0.2.1 -j DROP");
  const auto mine = ours(present(nft, chains(nft)), "wt0");
  CHECK(mine.size() == 2);
  REQUIRE(nft.apply(removal(mine)));
  CHECK(saved() == before);
}

TEST_CASE("what somebody removed comes back, and what is there twice goes") {
  const Hosts h;
  auto nft = nftables();
  load_docker();
  carry_out(nft, plan(nft));
  run("iptables-nft -D DOCKER-USER 1");
  const auto repair = plan(nft);
  REQUIRE(repair.add.size() == 1);
  CHECK(repair.add.front().passes == ChainRule::Passes::from_link);
  carry_out(nft, repair);
  carry_out(nft, repair);  // twice
  const auto tidy = plan(nft);
  CHECK(tidy.add.empty());
  REQUIRE(tidy.remove.size() == 1);
  carry_out(nft, tidy);
  CHECK(peer_reaches_lan(h));
}

TEST_CASE(
    "IPv6 tables of Docker are treated alike, and another link's rules are not ours") {
  const Hosts h;
  auto nft = nftables();
  load_docker();
  run("sed -e 's,127.0.0.0/8,::1/128,; s,172.17.0.0/16,fd00:17::/64,; "
      "s,172.17.0.2/32,fd00:17::2/128,; s,172.17.0.2:80,[fd00:17::2]:80,' " WIGEON_SOURCE
      "/tests/netns/docker.rules | ip6tables-nft-restore");
  const auto before6 = saved("6");
  const auto p = plan(nft);
  CHECK(p.add.size() == 4);
  carry_out(nft, p);
  CHECK(
      saved("6").contains("-A DOCKER-USER -o wt0 -m conntrack --ctstate "
                          "RELATED,ESTABLISHED -m comment --comment \"wigeon: replies"));
  const auto other = plan(nft, IntoOverlay::nobody, "wt1");
  CHECK(other.add.size() == 4);
  CHECK(other.remove.empty());
  REQUIRE(nft.apply(removal(ours(present(nft, chains(nft)), "wt0"))));
  CHECK(saved("6") == before6);
}

TEST_CASE("traffic of Docker's own passes beside our table") {
  const Hosts h;
  auto nft = nftables();
  load_docker();
  // The lan plays the container behind docker0.
  run("ip link delete docker0 && ip link set eth0 down && ip link set eth0 name docker0 "
      "&& "
      "ip link set docker0 up && ip address add 172.17.0.1/16 dev docker0 && "
      "ip -n lan address add 172.17.0.2/16 dev way && "
      "ip -n lan route replace default via 172.17.0.1");
  load(nft, ruleset(table()));
  const auto listener = h.lan->server("172.17.0.2:80", SOCK_STREAM);
  CHECK(connected(*h.net, "198.51.100.1:8080", listener.get(), kArrives));
  const auto c = connected(*h.peer, "100.64.0.1:8080", listener.get(), kArrives);
  REQUIRE(c);
  CHECK(c->seen.address.text() == "100.64.0.9");
  const auto outside = h.net->server("203.0.113.5:80", SOCK_STREAM);
  CHECK(connected(*h.lan, "203.0.113.5:80", outside.get(), kArrives));
  run("ip link delete docker0");
}

TEST_CASE("tables of others are byte for byte what they were after we came and went") {
  const Hosts h;
  auto nft = nftables();
  load_docker();
  load(nft, R"(table inet mine { set s { type ipv4_addr; elements = { 192.0.2.1 } }
    chain input { type filter hook input priority 0; policy accept; ip saddr @s drop
    }
  }
    table ip6 wg-quick-x { chain preraw { type filter hook prerouting priority raw; }
  })");
  const auto before = output_of("nft -s -a list ruleset") + saved();
  for (int i = 0; i < 3; ++i) {
    load(nft, ruleset(table()));
    carry_out(nft, plan(nft));
  }
  REQUIRE(nft.delete_table("inet", "wigeon"));
  REQUIRE(nft.apply(removal(ours(present(nft, chains(nft)), "wt0"))));
  CHECK(output_of("nft -s -a list ruleset") + saved() == before);
}

TEST_CASE("a chain of a stranger that drops is told and left alone") {
  const Hosts h;
  auto nft = nftables();
  load(nft, R"(table inet strict {
    chain through { type filter hook forward priority 0; policy drop; }
  }
  table inet firewalld {
    chain filter_FORWARD { type filter hook forward priority 10; policy accept; }
  })");
  const auto all = chains(nft);
  CHECK(all.firewalld);
  const auto p = foreign_plan(all, {}, "wt0", IntoOverlay::nobody);
  CHECK(p.add.empty());
  REQUIRE(p.notes.size() == 1);
  CHECK(p.notes[0].starts_with("inet strict through drops what is forwarded"));
}

TEST_CASE(
    "a rule for a chain that is not there is refused, and none of its company stays") {
  const Hosts h;
  auto nft = nftables();
  load_docker();
  const auto before = saved();
  const ChainRule good{.table = "filter",
                       .chain = "DOCKER-USER",
                       .link = "wt0",
                       .comment = "wigeon: from wt0"};
  auto bad = good;
  bad.chain = "NOWHERE";
  const auto done = insert_rules(std::array{good, bad});
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ENOENT);
  CHECK(saved() == before);
}
