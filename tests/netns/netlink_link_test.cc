// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "netlink/addr.hh"
#include "netlink/wireguard.hh"
#include "tests/netns/netlink_namespace.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

std::vector<std::string> texts(const std::vector<LinkAddress>& all) {
  std::vector<std::string> t;
  for (const auto& a : all) t.push_back(a.address.text());
  return t;
}

LinkAddress on(IfIndex link, const char* text) {
  return {.link = link, .address = *InterfaceAddress::parse(text)};
}

}  // namespace

TEST_CASE("a link is made, found by name and index, changed and deleted") {
  auto s = route_socket();
  const auto made = create_link(s, "wgn0", "veth");
  REQUIRE(made);
  CHECK(made->kind == "veth");
  CHECK_FALSE(made->up);
  REQUIRE(set_alias(s, made->index, "made by a test"));
  REQUIRE(set_mtu(s, made->index, 1300));
  REQUIRE(set_state(s, made->index, LinkState::up));
  auto found = find_link(s, "wgn0").value();
  REQUIRE(found);
  CHECK(found == find_link(s, made->index).value());
  CHECK(found->alias == "made by a test");
  CHECK(found->mtu == 1300);
  CHECK(found->up);
  const auto all = list_links(s).value();
  CHECK(std::ranges::count(all, "wgn0", &Link::name) == 1);
  CHECK(std::ranges::count(all, true, &Link::loopback) == 1);
  REQUIRE(set_state(s, made->index, LinkState::down));
  CHECK_FALSE(find_link(s, "wgn0").value()->up);

  CHECK(create_link(s, "wgn0", "veth").error().code == EEXIST);
  REQUIRE(delete_link(s, made->index));
  CHECK(delete_link(s, made->index));
  CHECK_FALSE(find_link(s, "wgn0").value());
  CHECK_FALSE(find_link(s, made->index).value());
}

TEST_CASE("a kind the kernel does not know is told apart") {
  auto s = route_socket();
  const auto made = create_link(s, "wgn1", "nosuchkind");
  REQUIRE_FALSE(made);
  CHECK(made.error().code == EOPNOTSUPP);
  CHECK(made.error().what == "RTM_NEWLINK: EOPNOTSUPP: Unknown device type");
}

TEST_CASE("without index no link is deleted, and index 1 says why not") {
  auto s = route_socket();
  CHECK(delete_link(s, IfIndex::none).error().code == EINVAL);
  CHECK(delete_link(s, IfIndex{1}).error().code == EOPNOTSUPP);  // lo
}

TEST_CASE("an mtu out of range is refused in the kernel's words") {
  auto s = route_socket();
  const Veth veth(s, "va");
  const auto refused = set_mtu(s, veth.index(), 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == "RTM_NEWLINK: EINVAL: mtu less than device minimum");
}

TEST_CASE("one request is one send and one receive") {
  auto s = route_socket();
  const Veth veth(s, "va");
  const auto before = s.counters();
  REQUIRE(set_mtu(s, veth.index(), 1400));
  CHECK(s.counters().sends - before.sends == 1);
  CHECK(s.counters().receives - before.receives == 1);
}

TEST_CASE("addresses of both families are added once, listed and removed") {
  auto s = route_socket();
  const Veth veth(s, "va");
  const auto v4 = on(veth.index(), "100.64.0.5/16"), v6 = on(veth.index(), "fd00::5/64");
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(add_address(s, v4));
    REQUIRE(add_address(s, v6));
  }
  CHECK(texts(list_addresses(s, veth.index()).value()) ==
        std::vector<std::string>{"100.64.0.5/16", "fd00::5/64"});
  const auto all = texts(list_addresses(s).value());
  CHECK(std::ranges::count(all, "127.0.0.1/8") == 1);
  CHECK(std::ranges::count(all, "fd00::5/64") == 1);
  run("ip -6 address show dev va | grep -q nodad");
  run("ip route show dev va table all | grep -q 100.64.0.5");
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(remove_address(s, v4));
    REQUIRE(remove_address(s, v6));
  }
  CHECK(list_addresses(s, veth.index()).value().empty());
}

TEST_CASE("addresses of a link that is gone are none, and adding one fails") {
  auto s = route_socket();
  CHECK(list_addresses(s, IfIndex{4711}).value().empty());
  CHECK(add_address(s, on(IfIndex{4711}, "10.0.0.1/8")).error().code == ENODEV);
  CHECK(remove_address(s, on(IfIndex{4711}, "10.0.0.1/8")));
}

TEST_CASE("the kernel has WireGuard, or says that it has not") {
  auto s = route_socket();
  auto wireguard = WireGuard::open();
  if (!wireguard) {
    CHECK(wireguard.error().code == ENOENT);
    CHECK(create_link(s, "wgn2", "wireguard").error().code == EOPNOTSUPP);
    return;
  }
  const auto link = create_link(s, "wgn2", "wireguard").value();
  REQUIRE(wireguard->set(link.index, {.listen_port = 51999, .fwmark = 7}));
  CHECK(wireguard->get("wgn2").value().listen_port == 51999);
  CHECK(wireguard->get(link.index).value().fwmark == 7);
  REQUIRE(delete_link(s, link.index));
  CHECK(wireguard->get("wgn2").error().code == ENODEV);
  CHECK(wireguard->get("lo").error().code == EOPNOTSUPP);
}
