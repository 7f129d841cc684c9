// SPDX-License-Identifier: GPL-2.0-or-later
// A host with a router's table: what looking at it costs in memory.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "agent/base/marks.hh"
#include "agent/core/kernel_linux.hh"
#include "tests/netns/netlink_namespace.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

constexpr int kRoutes = 50000;

// Of /proc/self/status, in kB.
long memory(const std::string& name) {
  std::ifstream f("/proc/self/status");
  for (std::string line; std::getline(f, line);)
    if (line.starts_with(name + ":")) return std::stol(line.substr(name.size() + 1));
  return 0;
}

// Back to what is resident now.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

void add_routes() {
  {
    std::ofstream f("/run/routes");
    for (int i = 0; i < kRoutes; ++i)
      f << fmt::format("route add 20.{}.{}.{}/32 via 10.9.0.{} dev va proto bgp\n",
                       i / 65536, i / 256 % 256, i % 256, 1 + i % 3);
  }
  run("ip -batch /run/routes");
}

}  // namespace

TEST_CASE("of 50,000 routes the host view keeps three, and memory does not follow") {
  auto s = route_socket();
  const Veth veth(s, "va");
  run("ip link set vap up && ip link set va up");
  run("ip address add 10.9.0.100/24 dev va");
  add_routes();
  auto kernel = LinuxKernel::open(TunnelKind::userspace, kDefaultTable).value();
  REQUIRE(kernel->view("wt0", {}));  // buffers are there
  forget_peak();
  const long before = memory("VmRSS");
  const auto v = kernel->view("wt0", {}).value();
  const long peak = memory("VmHWM");
  CHECK(peak - before < 2000);
  CHECK_FALSE(v.routes_cut);
  std::set<Address> gateways;
  for (const auto& r : v.routes)
    if (r.gateway) gateways.insert(*r.gateway);
  CHECK(gateways.size() == 3);
  CHECK(v.routes.size() <= 6);

  // The same listed whole, so that the number above means something.
  forget_peak();
  CHECK(list_routes(s, RT_TABLE_MAIN).value().size() >= kRoutes);
  CHECK(memory("VmHWM") - before > 2000);
}

TEST_CASE("routes are listed by table, protocol and device") {
  auto s = route_socket();
  const Veth a(s, "va"), b(s, "vb");
  run("ip link set va up && ip link set vb up");
  run("ip route add 10.1.0.0/16 dev va proto 89 && ip route add 10.2.0.0/16 dev vb proto "
      "89");
  run("ip route add 10.3.0.0/16 dev va proto bgp && ip -6 route add fd00:1::/64 dev va "
      "proto 89");
  run("ip route add 10.4.0.0/16 dev va proto 89 table 52");
  const auto listed = [&](const RouteFilter& f) {
    std::vector<std::string> text;
    const auto routes = list_routes(s, f).value();
    for (const auto& r : routes)
      if (!r.destination.address().is_link_local() &&
          !r.destination.address().is_multicast())
        text.push_back(r.destination.text());
    std::vector<std::string> scanned;
    REQUIRE(scan_routes(s, f, [&](const Route& r) {
      if (!r.destination.address().is_link_local() &&
          !r.destination.address().is_multicast())
        scanned.push_back(r.destination.text());
    }));
    CHECK(scanned == text);
    std::ranges::sort(text);
    return text;
  };
  using List = std::vector<std::string>;
  CHECK(listed({.protocol = kRouteProtocol}) ==
        List{"10.1.0.0/16", "10.2.0.0/16", "fd00:1::/64"});
  CHECK(listed({.protocol = kRouteProtocol, .device = a.index()}) ==
        List{"10.1.0.0/16", "fd00:1::/64"});
  CHECK(listed({.device = a.index()}) ==
        List{"10.1.0.0/16", "10.3.0.0/16", "fd00:1::/64"});
  CHECK(listed({.table = 52}) == List{"10.4.0.0/16"});
  CHECK(listed({.table = 53}).empty());
  CHECK(listed({.device = IfIndex{9999}}).empty());
}
