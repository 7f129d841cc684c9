// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/host_routes.hh"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "agent/model/forwarding.hh"
#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

Prefix net(const std::string& text) { return *Prefix::parse(text); }

Route via(const std::string& to, int link, const char* gateway = nullptr,
          uint8_t protocol = RTPROT_BGP) {
  Route r{.destination = net(to), .device = IfIndex{link}, .protocol = protocol};
  if (gateway) r.gateway = *Address::parse(gateway);
  return r;
}

std::vector<Route> kept(const std::vector<Route>& all, std::vector<Prefix> served = {}) {
  HostRoutes k(std::move(served));
  for (const auto& r : all) k.offer(r);
  CHECK_FALSE(k.cut());
  return std::move(k).take();
}

}  // namespace

TEST_CASE("of a router's whole table two routes say all: a gateway each") {
  HostRoutes k;
  for (int i = 0; i < 100000; ++i)
    k.offer(via(fmt::format("{}.{}.{}.0/24", 20 + i / 65536, i / 256 % 256, i % 256), 2,
                i % 2 ? "192.0.2.1" : "192.0.2.2"));
  CHECK_FALSE(k.cut());
  CHECK(std::move(k).take().size() == 2);
}

TEST_CASE("default routes and links that hear routers are kept") {
  const std::vector<Route> all = {via("10.0.0.0/8", 2),
                                  via("0.0.0.0/0", 2),
                                  via("0.0.0.0/0", 2, nullptr, RTPROT_DHCP),
                                  via("10.1.0.0/16", 2),
                                  via("fd00:1::/64", 2),
                                  via("fd00:2::/64", 2, nullptr, RTPROT_RA)};
  CHECK(kept(all) == std::vector<Route>{all[0], all[1], all[2], all[4], all[5]});
}

TEST_CASE("what holds a served network is kept, of what is inside one for each link") {
  const std::vector<Route> all = {via("172.16.0.0/12", 2), via("172.17.0.0/16", 2),
                                  via("10.0.0.0/8", 2),    via("10.1.0.0/16", 2),
                                  via("10.1.2.0/24", 2),   via("10.1.2.128/25", 2),
                                  via("10.1.2.0/26", 3),   via("10.1.2.64/26", 3)};
  CHECK(kept(all, {net("10.1.2.0/24")}) ==
        std::vector<Route>{all[0], all[2], all[3], all[4], all[5], all[6]});
}

TEST_CASE("more routes that matter than the limit are told") {
  HostRoutes k;
  for (size_t i = 0; i < kMaxHostRoutes + 1; ++i) {
    CHECK(k.cut() == (i > kMaxHostRoutes));
    k.offer(via("10.0.0.0/8", 2, fmt::format("192.0.{}.{}", i / 256, i % 256).c_str()));
  }
  CHECK(k.cut());
  CHECK(std::move(k).take().size() == kMaxHostRoutes);
}

TEST_CASE("with the kept routes the same is decided as with all of them") {
  std::mt19937 random(20261121);
  const auto below = [&](int n) { return static_cast<int>(random() % unsigned(n)); };
  const auto any = [&] {
    return Prefix::make(*Address::parse(fmt::format("10.{}.{}.{}", below(3), below(3),
                                                    64 * below(4))),
                        below(4) == 0 ? 0 : 6 + below(22))
        .value();
  };
  size_t fewer = 0;
  for (int round = 0; round < 300; ++round) {
    HostView all;
    all.links = {{.index = IfIndex{1}, .name = "lo", .loopback = true}};
    for (int i = 2; i < 7; ++i)
      all.links.push_back({.index = IfIndex{i}, .name = fmt::format("e{}", i)});
    for (int i = below(60); i > 0; --i) {
      auto r = via(any().text(), 1 + below(6));
      if (below(8) == 0) r.type = Route::Type::blackhole;
      all.routes.push_back(r);
    }
    std::string list;
    std::vector<Prefix> served;
    for (int i = 1 + below(3); i > 0; --i) {
      served.push_back(any());
      list += fmt::format(R"({}{{"ID":"r","Network":"{}","Peer":{}}})",
                          list.empty() ? "" : ",", served.back().text(), k(1));
    }
    const bool ports = below(4) == 0;
    const auto map = map_of(
        "\"Routes\":[" + list + "]" +
        (ports
             ? R"(,"forwardingRules":[{"protocol":"TCP","translatedAddress":"ZEAAAg==",)"
               R"("destinationPort":{"port":80},)"
               R"("translatedPort":{"port":80}}])"
             : ""));
    Accepted accepted;
    accepted.routes.resize(map.routes.size(), true);
    HostView few = all;
    few.routes = kept(all.routes, served);
    fewer += all.routes.size() - few.routes.size();
    INFO(list);
    CHECK(forwarding_sysctls({}, map, key(1), accepted, few) ==
          forwarding_sysctls({}, map, key(1), accepted, all));
  }
  CHECK(fewer > 1000);
}
