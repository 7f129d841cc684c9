// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/forwarding.hh"

#include <fmt/format.h>

#include <algorithm>

#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

constexpr IfIndex kEth0{2}, kEth1{3}, kVlan{4};

// Uplink eth0 with routes from a router, LANs on eth1 and on a VLAN of it.
HostView host() {
  HostView h;
  h.links = {{.index = IfIndex{1}, .name = "lo", .loopback = true},
             {.index = kEth0, .name = "eth0"},
             {.index = kEth1, .name = "eth1"},
             {.index = kVlan, .name = "eth1.100"}};
  const auto route = [&](const char* to, IfIndex link, uint8_t protocol) {
    h.routes.push_back(
        {.destination = *Prefix::parse(to), .device = link, .protocol = protocol});
  };
  route("0.0.0.0/0", kEth0, RTPROT_DHCP);
  route("198.51.100.0/24", kEth0, RTPROT_KERNEL);
  route("10.1.0.0/16", kEth1, RTPROT_KERNEL);
  route("10.1.7.0/24", kVlan, RTPROT_KERNEL);
  route("::/0", kEth0, RTPROT_RA);
  route("fd10:1::/64", kEth1, RTPROT_KERNEL);
  h.addresses = {{kVlan, *InterfaceAddress::parse("10.99.0.1/24")}};
  h.accept_ra = {{kEth0, uint8_t{1}}, {kEth1, uint8_t{1}}, {kVlan, uint8_t{0}}};
  return h;
}

std::string route(uint8_t peer, std::string_view network) {
  return fmt::format(R"({{"ID":"r","Network":"{}","Peer":{}}})", network, k(peer));
}

std::string wanted(std::initializer_list<std::string_view> networks,
                   const HostView& h = host(), const Config& c = {}, uint8_t peer = 1) {
  std::string list;
  for (const auto n : networks) list += (list.empty() ? "" : ",") + route(peer, n);
  const auto m = map_of("\"Routes\":[" + list + "]");
  Accepted accepted;
  accepted.routes.resize(m.routes.size(), true);
  const auto all = forwarding_sysctls(c, m, key(1), accepted, h);
  CHECK(std::ranges::is_sorted(all));
  std::string s;
  for (const auto& [k, v] : all) s += k + "=" + v + "\n";
  return s;
}

}  // namespace

TEST_CASE("without own routes nothing is set") {
  CHECK(wanted({}).empty());
  CHECK(wanted({"10.1.0.0/24"}, host(), {}, 2).empty());
  Config c;
  c.routing.disable_server_routes = true;
  CHECK(wanted({"10.1.0.0/24"}, host(), c).empty());
}

TEST_CASE("a route that was refused needs nothing") {
  const auto m = map_of("\"Routes\":[" + route(1, "10.1.0.0/16") + "]");
  Accepted accepted;
  accepted.routes = {false};
  CHECK(forwarding_sysctls({}, m, key(1), accepted, host()).empty());
}

TEST_CASE("IPv4 forwards on our link and towards the network, never everywhere") {
  CHECK(wanted({"10.1.2.0/24"}) ==
        "net/ipv4/conf/eth1/forwarding=1\n"
        "net/ipv4/conf/wt0/forwarding=1\n");
  // More specific routes lie inside; an address is a way too.
  CHECK(wanted({"10.1.0.0/16"}) ==
        "net/ipv4/conf/eth1.100/forwarding=1\n"
        "net/ipv4/conf/eth1/forwarding=1\n"
        "net/ipv4/conf/wt0/forwarding=1\n");
  CHECK(wanted({"10.99.0.0/25"}) ==
        "net/ipv4/conf/eth1.100/forwarding=1\n"
        "net/ipv4/conf/wt0/forwarding=1\n");
}

TEST_CASE("a network behind the gateway is where the default route leads") {
  CHECK(wanted({"172.16.0.0/12"}) ==
        "net/ipv4/conf/eth0/forwarding=1\n"
        "net/ipv4/conf/wt0/forwarding=1\n");
}

TEST_CASE("an exit node forwards by its default routes only") {
  for (const auto* network : {"0.0.0.0/0", "128.0.0.0/1"})
    CHECK(wanted({network}) ==
          "net/ipv4/conf/eth0/forwarding=1\n"
          "net/ipv4/conf/wt0/forwarding=1\n");
}

TEST_CASE("ports that lead to peers are taken from every interface with an address") {
  const auto all = [](const HostView& h, const Config& c = {}) {
    const auto m =
        map_of(R"("forwardingRules":[{"protocol":"TCP","destinationPort":{"port":8443},)"
               R"("translatedAddress":"ZEAAAg==","translatedPort":{"port":443}}])");
    std::string s;
    for (const auto& [k, v] : forwarding_sysctls(c, m, key(1), Accepted{}, h))
      s += k + "=" + v + "\n";
    return s;
  };
  CHECK(all(host()) ==
        "net/ipv4/conf/eth0/forwarding=1\n"
        "net/ipv4/conf/eth1.100/forwarding=1\n"
        "net/ipv4/conf/eth1/forwarding=1\n"
        "net/ipv4/conf/wt0/forwarding=1\n");
  Config c;
  c.routing.disable_server_routes = true;
  CHECK(all(host(), c).empty());
}

TEST_CASE("a network that nothing leads to leaves our link") {
  auto h = host();
  std::erase_if(h.routes, [](const Route& r) { return r.destination.bits() == 0; });
  CHECK(wanted({"172.16.0.0/12"}, h) == "net/ipv4/conf/wt0/forwarding=1\n");
}

TEST_CASE("IPv6 is for all before 6.17, and whoever hears routers goes on doing so") {
  CHECK(wanted({"fd10:1::/64"}) ==
        "net/ipv6/conf/all/forwarding=1\n"
        "net/ipv6/conf/eth0/accept_ra=2\n"
        "net/ipv6/conf/eth1/forwarding=1\n"
        "net/ipv6/conf/wt0/forwarding=1\n");
}

TEST_CASE("what is wanted stays the same once it has been set") {
  auto h = host();
  h.accept_ra[kEth0] = 2;
  CHECK(wanted({"fd10:1::/64"}, h) == wanted({"fd10:1::/64"}));
  // Also when the router is quiet for a while.
  std::erase_if(h.routes, [](const Route& r) { return r.protocol == RTPROT_RA; });
  CHECK(wanted({"fd10:1::/64"}, h).contains("eth0/accept_ra=2"));
}

TEST_CASE("an interface whose routers are heard by somebody else is left alone") {
  auto h = host();
  h.accept_ra[kEth0] = 0;  // NetworkManager and networkd do it themselves
  CHECK_FALSE(wanted({"::/0"}, h).contains("accept_ra"));
}

TEST_CASE("IPv6 by interface where the kernel can") {
  auto h = host();
  h.force_forwarding = true;
  CHECK(wanted({"fd10:1::/64"}, h) ==
        "net/ipv6/conf/eth1/force_forwarding=1\n"
        "net/ipv6/conf/wt0/force_forwarding=1\n");
}

TEST_CASE("no IPv6, no settings of it") {
  Config c;
  c.disable_ipv6 = true;
  CHECK(wanted({"fd10:1::/64"}, host(), c).empty());
  auto h = host();
  h.ipv6 = false;
  CHECK(wanted({"fd10:1::/64"}, h).empty());
}
