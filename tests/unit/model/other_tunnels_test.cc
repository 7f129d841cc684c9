// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/other_tunnels.hh"

#include <catch2/catch.hpp>

using namespace wigeon;

namespace {

Rule lookup(uint32_t priority, uint32_t table) {
  return {.priority = priority, .table = table};
}

Rule marked(uint32_t priority, uint32_t mark, uint32_t table) {
  auto r = lookup(priority, table);
  r.mark = mark;
  return r;
}

std::vector<Rule> tailscale() {
  auto main = marked(5210, 0x80000, RT_TABLE_MAIN);
  auto rest = marked(5230, 0x80000, RT_TABLE_DEFAULT);
  main.mark_mask = rest.mark_mask = 0xff0000;
  return {main, rest, lookup(5270, 52)};
}

}  // namespace

TEST_CASE("wg-quick's rule is a full tunnel, in the family it is in") {
  auto r = marked(32765, 51820, 51820);
  r.family = Family::v6;
  r.invert = true;
  auto main = lookup(32764, RT_TABLE_MAIN);
  main.suppress_prefix_length = 0;
  CHECK(other_tunnels({main, r, lookup(32766, RT_TABLE_MAIN)}) ==
        std::vector{OtherTunnel{.family = Family::v6,
                                .priority = 32765,
                                .table = 51820,
                                .mark = 51820,
                                .inverted = true}});
}

TEST_CASE("so are Tailscale's rules, which send the marked packets to main first") {
  CHECK(other_tunnels(tailscale()) ==
        std::vector{OtherTunnel{
            .priority = 5270, .table = 52, .mark = 0x80000, .mark_mask = 0xff0000}});
}

TEST_CASE("the rules of a host without tunnels are none") {
  auto some = lookup(100, 77);
  some.from = *Prefix::parse("10.0.0.0/8");
  auto vrf = lookup(1000, 0);
  vrf.l3mdev = true;
  CHECK(other_tunnels({lookup(0, RT_TABLE_LOCAL), some, vrf, lookup(32766, RT_TABLE_MAIN),
                       lookup(32767, RT_TABLE_DEFAULT)})
            .empty());
  // Nothing tells what carries it.
  CHECK(other_tunnels({lookup(100, 77)}).empty());
  // A mark that leads into a table is that application's own business.
  CHECK(other_tunnels({marked(100, 7, 77)}).empty());
  // The mark's rule comes too late.
  CHECK(other_tunnels({lookup(50, 52), tailscale()[0]}).empty());
  // And of the other family it says nothing.
  auto v6 = lookup(5270, 52);
  v6.family = Family::v6;
  CHECK(other_tunnels({tailscale()[0], v6}).empty());
}

TEST_CASE("a mark of no bits never becomes an exception for everything") {
  auto none = marked(100, 7, 77);
  none.invert = true;
  none.mark_mask = 0;
  auto zero = marked(100, 0, 77);
  zero.invert = true;
  zero.mark_mask = 0xff;
  CHECK(other_tunnels({none, zero}).empty());
}

TEST_CASE("there is a limit to the number of other tunnels") {
  std::vector<Rule> many(1000, marked(100, 7, 77));
  for (auto& r : many) r.invert = true;
  CHECK(other_tunnels(many).size() == kMaxOtherTunnels);
}
