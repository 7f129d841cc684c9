// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/event.hh"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/netconf.h>

#include <catch2/catch.hpp>

#include "netlink/message.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

Msg link_message(int type, uint8_t family = AF_UNSPEC) {
  auto m = new_message(type, 0);
  ifinfomsg h{};
  h.ifi_family = family;
  h.ifi_index = 4;
  h.ifi_flags = IFF_UP;
  REQUIRE(put_header(m.get(), h));
  REQUIRE(put_text(m.get(), IFLA_IFNAME, "wt0", 15));
  return m;
}

Msg route_message(int type, unsigned flags = 0) {
  auto m = new_message(type, 0);
  rtmsg h{};
  h.rtm_family = AF_INET;
  h.rtm_dst_len = 8;
  h.rtm_protocol = 89;
  h.rtm_type = RTN_UNICAST;
  h.rtm_flags = flags;
  REQUIRE(put_header(m.get(), h));
  REQUIRE(put(m.get(), RTA_DST, *Address::parse("10.0.0.0")));
  REQUIRE(put(m.get(), RTA_TABLE, uint32_t{7120}));
  REQUIRE(put(m.get(), RTA_OIF, uint32_t{4}));
  return m;
}

Msg rule_message(int type, uint8_t family = AF_INET6) {
  auto m = new_message(type, 0);
  fib_rule_hdr h{};
  h.family = family;
  h.action = FR_ACT_TO_TBL;
  REQUIRE(put_header(m.get(), h));
  REQUIRE(put(m.get(), FRA_PRIORITY, uint32_t{105}));
  REQUIRE(put(m.get(), FRA_TABLE, uint32_t{7120}));
  REQUIRE(put(m.get(), FRA_PROTOCOL, uint8_t{89}));
  return m;
}

Msg netconf_message(int type, uint8_t family, int link) {
  auto m = new_message(type, 0);
  REQUIRE(put_header(m.get(), netconfmsg{.ncm_family = family}));
  REQUIRE(put(m.get(), NETCONFA_IFINDEX, static_cast<uint32_t>(link)));
  REQUIRE(put(m.get(), NETCONFA_FORWARDING, uint32_t{1}));
  return m;
}

std::vector<uint8_t> join(std::initializer_list<const Msg*> messages) {
  std::vector<uint8_t> all;
  for (const auto* m : messages) {
    const Bytes b = bytes(m->get());
    all.insert(all.end(), b.begin(), b.end());
  }
  return all;
}

}  // namespace

TEST_CASE("each kind of change becomes one event") {
  const auto link = link_message(RTM_NEWLINK), route = route_message(RTM_DELROUTE),
             rule = rule_message(RTM_NEWRULE), address = new_message(RTM_DELADDR, 0);
  ifaddrmsg a{};
  a.ifa_index = 4;
  REQUIRE(put_header(address.get(), a));
  nlmsg_hdr(route.get())->nlmsg_pid = 4242;
  std::vector<Event> events;
  REQUIRE(read_events(join({&link, &route, &rule, &address}), events));
  using Kind = Event::Kind;
  CHECK(events ==
        std::vector<Event>{
            {.kind = Kind::link, .link = IfIndex{4}, .name = "wt0", .up = true},
            {.kind = Kind::route,
             .removed = true,
             .by = 4242,
             .link = IfIndex{4},
             .table = 7120,
             .protocol = 89},
            {.kind = Kind::rule, .table = 7120, .priority = 105, .protocol = 89},
            {.kind = Kind::address, .removed = true, .link = IfIndex{4}}});
}

TEST_CASE("a bridge that lets a port go is not a link that is gone") {
  const auto m = link_message(RTM_DELLINK, AF_BRIDGE);
  std::vector<Event> events;
  CHECK(read_events(bytes(m.get()), events));
  CHECK(events.empty());
}

TEST_CASE("cached routes, rules of multicast routing and other messages are no events") {
  const auto clone = route_message(RTM_NEWROUTE, RTM_F_CLONED),
             multicast = rule_message(RTM_NEWRULE, 128),
             neighbour = new_message(RTM_NEWNEIGH, 0);
  std::vector<Event> events;
  CHECK(read_events(join({&clone, &multicast, &neighbour}), events));
  CHECK(events.empty());
}

TEST_CASE("a cut datagram keeps the events before the cut and says so") {
  const auto link = link_message(RTM_NEWLINK), route = route_message(RTM_NEWROUTE);
  auto all = join({&link, &route});
  all.resize(all.size() - 4);
  std::vector<Event> events;
  CHECK_FALSE(read_events(all, events));
  CHECK(events.size() == 1);
}

TEST_CASE("a multipath route is told once, without a device") {
  const auto m = new_message(RTM_NEWROUTE, 0);
  rtmsg h{};
  h.rtm_family = AF_INET;
  h.rtm_table = RT_TABLE_MAIN;
  REQUIRE(put_header(m.get(), h));
  const rtnexthop hops[2] = {
      {.rtnh_len = 8, .rtnh_flags = 0, .rtnh_hops = 0, .rtnh_ifindex = 2},
      {.rtnh_len = 8, .rtnh_flags = 0, .rtnh_hops = 0, .rtnh_ifindex = 3}};
  REQUIRE(put(m.get(), RTA_MULTIPATH,
              Bytes(reinterpret_cast<const uint8_t*>(hops), sizeof hops)));
  std::vector<Event> events;
  REQUIRE(read_events(bytes(m.get()), events));
  CHECK(events ==
        std::vector<Event>{{.kind = Event::Kind::route, .table = RT_TABLE_MAIN}});
}

TEST_CASE("settings of a link, and of all links, are told by its index") {
  const auto one = netconf_message(RTM_NEWNETCONF, AF_INET6, 4),
             all = netconf_message(RTM_NEWNETCONF, AF_INET, NETCONFA_IFINDEX_ALL),
             gone = netconf_message(RTM_DELNETCONF, AF_INET, 4),
             mpls = netconf_message(RTM_NEWNETCONF, AF_MPLS, 4);
  std::vector<Event> events;
  REQUIRE(read_events(join({&one, &all, &gone, &mpls}), events));
  using Kind = Event::Kind;
  CHECK(events == std::vector<Event>{
                      {.kind = Kind::settings, .link = IfIndex{4}},
                      {.kind = Kind::settings, .link = IfIndex{-1}},
                      {.kind = Kind::settings, .removed = true, .link = IfIndex{4}}});
}

TEST_CASE("settings of no link are malformed") {
  const auto m = new_message(RTM_NEWNETCONF, 0);
  REQUIRE(put_header(m.get(), netconfmsg{.ncm_family = AF_INET}));
  std::vector<Event> events;
  CHECK_FALSE(read_events(bytes(m.get()), events));
  const auto short_index = new_message(RTM_NEWNETCONF, 0);
  REQUIRE(put_header(short_index.get(), netconfmsg{.ncm_family = AF_INET}));
  REQUIRE(put(short_index.get(), NETCONFA_IFINDEX, uint8_t{4}));
  CHECK_FALSE(read_events(bytes(short_index.get()), events));
  const auto empty = new_message(RTM_NEWNETCONF, 0);
  CHECK_FALSE(read_events(bytes(empty.get()), events));
  CHECK(events.empty());
}
