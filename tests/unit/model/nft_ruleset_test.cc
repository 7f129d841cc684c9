// SPDX-License-Identifier: GPL-2.0-or-later
// The text; what it does to packets is tests/netns/nft_table_test.cc.
#include "agent/model/nft_ruleset.hh"

#include <catch2/catch.hpp>

using namespace wigeon;

namespace {

NftTable table() {
  return {.link = "wt0",
          .overlay = {*Prefix::parse("100.64.0.0/16")},
          .own = {*Address::parse("100.64.0.1")}};
}

}  // namespace

TEST_CASE("rules are counted, and not the chains that they are in") {
  CHECK(rules_in("") == 0);
  CHECK(rules_in(ruleset(table())) == 9);
}

TEST_CASE("the ruleset of a host without routes") {
  CHECK(ruleset(table()) == R"(add table inet wigeon
delete table inet wigeon
table inet wigeon {
	chain spoofed {
		type filter hook prerouting priority -300; policy accept;
		iifname { "wt0", "lo" } accept
		ip saddr { 100.64.0.0/16 } counter drop
		ip daddr { 100.64.0.1 } counter drop
	}
	chain mss {
		type filter hook forward priority -150; policy accept;
		iifname "wt0" tcp flags syn tcp option maxseg size set rt mtu
		oifname "wt0" tcp flags syn tcp option maxseg size set rt mtu
	}
	chain forward {
		type filter hook forward priority 0; policy accept;
		iifname != "wt0" accept
		ct state established,related ct direction reply accept
		ct status dnat ct original ip daddr { 100.64.0.1 } accept
		counter drop
	}
}
)");
}

TEST_CASE("marks are masked") {
  auto t = table();
  t.reply_mark = ReplyMark{0x1bd00, 0x1ff00};
  const auto text = ruleset(t);
  CHECK(text.contains(
      "ct state new fib daddr type local ct mark set ct mark & 0xfffe00ff | "
      "0x1bd00\n"));
  CHECK(
      text.contains("ct mark & 0x1ff00 == 0x1bd00 meta mark set meta mark & 0xfffe00ff | "
                    "0x1bd00\n"));
  // Only what bears no mark at all: bits of somebody else's may be among ours.
  CHECK(
      text.contains("\tchain answers {\n"
                    "\t\ttype route hook output priority -150; policy accept;\n"
                    "\t\tmeta mark 0 ct direction reply ct mark & 0x1ff00 == 0x1bd00 "
                    "meta mark set 0x1bd00\n"));
  CHECK_FALSE(ruleset(table()).contains("chain answers"));
}

TEST_CASE("an exit node's masquerade is beside that of other routes") {
  auto t = table();
  t.routed = {{*Prefix::parse("0.0.0.0/0"), true},
              {*Prefix::parse("10.1.0.0/16"), false}};
  const auto text = ruleset(t);
  CHECK(
      text.contains("set routed4 { type ipv4_addr; flags interval; elements = { "
                    "0.0.0.0-9.255.255.255, 10.1.0.0-10.1.255.255, "
                    "11.0.0.0-100.63.255.255, 100.128.0.0-169.253.255.255, "
                    "169.255.0.0-172.15.255.255, 172.32.0.0-192.167.255.255, "
                    "192.169.0.0-255.255.255.255 }; }"));
  CHECK(
      text.contains("set masquerade4 { type ipv4_addr; flags interval; elements = { "
                    "0.0.0.0-9.255.255.255, 11.0.0.0-100.63.255.255, "));
}

TEST_CASE("private networks behind an exit node are open when a route holds them") {
  auto t = table();
  t.routed = {{*Prefix::parse("::/0"), true}, {*Prefix::parse("fc00::/7"), false}};
  CHECK(
      ruleset(t).contains("set routed6 { type ipv6_addr; flags interval; elements = { "
                          "::-fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff, fec0::-ffff:"));
}

TEST_CASE("two halves of everything are an exit node too") {
  auto t = table();
  t.routed = {{*Prefix::parse("0.0.0.0/1"), true}, {*Prefix::parse("128.0.0.0/1"), true}};
  CHECK(ruleset(t).contains("0.0.0.0-9.255.255.255, 11.0.0.0-"));
}

TEST_CASE("the order of forwarding rules is no difference") {
  const auto lan = *Address::parse("192.168.7.2");
  const Dnat a{Protocol::tcp, {80, 80}, lan, {8080, 8080}};
  const Dnat b{Protocol::tcp, {90, 91}, lan, {90, 91}};
  auto one = table(), two = table();
  one.dnat = {a, b};
  two.dnat = {b, a};
  CHECK(ruleset(one) == ruleset(two));
  CHECK(
      ruleset(one).contains("map shifted_tcp4 { type inet_service : ipv4_addr . "
                            "inet_service; elements = { 80 : "
                            "192.168.7.2 . 8080 }; }"));
  CHECK(
      ruleset(one).contains("map kept_tcp4 { type inet_service : ipv4_addr; flags "
                            "interval; elements = { 90-91 : "
                            "192.168.7.2 }; }"));
}

TEST_CASE("a link's name cannot say more than a name") {
  auto t = table();
  t.link = "wt*";
  CHECK(ruleset(t).contains(R"(iifname "wt\*")"));
  t.link = "x\" drop";
  CHECK(ruleset(t).contains(R"(iifname "x? drop")"));
  t.name = "other";
  CHECK(
      ruleset(t).starts_with("add table inet other\ndelete table inet other\ntable inet "
                             "other {"));
}
