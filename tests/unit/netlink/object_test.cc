// SPDX-License-Identifier: GPL-2.0-or-later
// Links, routes and rules as read from one message.
#include <linux/fib_rules.h>

#include <catch2/catch.hpp>

#include "netlink/link.hh"
#include "netlink/route.hh"
#include "netlink/rule.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

Message only(const Msg& m) {
  Message found;
  REQUIRE(for_each_message(bytes(m.get()), [&](const Message& one) {
    found = one;
    return true;
  }));
  return found;
}

Msg rtnetlink(int type, const auto& header) {
  auto m = new_message(type, 0);
  REQUIRE(put_header(m.get(), header));
  return m;
}

}  // namespace

TEST_CASE("interface names that are no file names are refused") {
  for (const auto* good : {"wt0", "a", "eth0.100", "fifteen-letters"})
    CHECK(check_link_name(good));
  for (const auto* bad :
       {"", ".", "..", "../wt0", "a b", "a:1", "sixteen-letters!", "w\xc3\xa4"})
    CHECK_FALSE(check_link_name(bad));
}

TEST_CASE("a default route has no destination attribute") {
  rtmsg h{};
  h.rtm_family = AF_INET6;
  h.rtm_type = RTN_UNICAST;
  std::vector<Route> routes;
  REQUIRE(read_routes(only(rtnetlink(RTM_NEWROUTE, h)), routes));
  CHECK(routes.at(0).destination.text() == "::/0");
}

TEST_CASE("a destination of another family or longer than it can be is malformed") {
  std::vector<Route> routes;
  rtmsg h{};
  h.rtm_family = AF_INET;
  h.rtm_dst_len = 33;
  auto m = rtnetlink(RTM_NEWROUTE, h);
  REQUIRE(put(m.get(), RTA_DST, *Address::parse("10.0.0.0")));
  CHECK_FALSE(read_routes(only(m), routes));
  h.rtm_dst_len = 8;
  m = rtnetlink(RTM_NEWROUTE, h);
  REQUIRE(put(m.get(), RTA_DST, *Address::parse("fd00::")));
  CHECK_FALSE(read_routes(only(m), routes));
  CHECK(routes.empty());
}

TEST_CASE("a gateway of the other family is read") {
  rtmsg h{};
  h.rtm_family = AF_INET;
  h.rtm_type = RTN_UNICAST;
  const auto m = rtnetlink(RTM_NEWROUTE, h);
  const auto gateway = *Address::parse("fe80::1");
  std::vector<uint8_t> via{AF_INET6, 0};
  via.insert(via.end(), gateway.bytes().begin(), gateway.bytes().end());
  REQUIRE(put(m.get(), RTA_VIA, via));
  std::vector<Route> routes;
  REQUIRE(read_routes(only(m), routes));
  CHECK(routes.at(0).gateway == gateway);
}

TEST_CASE("a rule's mask without a mark means mark 0, and no suppression is none") {
  fib_rule_hdr h{};
  h.family = AF_INET;
  h.flags = FIB_RULE_INVERT;
  const auto m = rtnetlink(RTM_NEWRULE, h);
  REQUIRE(put(m.get(), FRA_FWMASK, uint32_t{0x1ff00}));
  REQUIRE(put(m.get(), FRA_SUPPRESS_PREFIXLEN, uint32_t{0xffffffff}));
  std::optional<Rule> rule;
  REQUIRE(read_rule(only(m), rule));
  REQUIRE(rule);
  CHECK(rule->invert);
  CHECK(rule->mark == 0u);
  CHECK(rule->mark_mask == 0x1ff00u);
  CHECK_FALSE(rule->suppress_prefix_length);
}

TEST_CASE("a link's kind is read from inside its info") {
  ifinfomsg h{};
  h.ifi_index = 5;
  const auto m = rtnetlink(RTM_NEWLINK, h);
  REQUIRE(put_text(m.get(), IFLA_IFNAME, "wt0", 15));
  REQUIRE(put_text(m.get(), IFLA_IFALIAS, "ours", 255));
  {
    const Nest info(m.get(), IFLA_LINKINFO);
    REQUIRE(put_text(m.get(), IFLA_INFO_KIND, "wireguard", 15));
  }
  std::optional<Link> link;
  REQUIRE(read_link(only(m), link));
  CHECK(link ==
        Link{.index = IfIndex{5}, .name = "wt0", .kind = "wireguard", .alias = "ours"});
}
