// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/nft_table.hh"

#include "agent/model/nft_ruleset.hh"
#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

std::string route(std::string_view network, uint8_t by, bool masquerade) {
  return R"({"ID":"r","NetID":"n","Network":")" + std::string(network) + R"(","Peer":)" +
         k(by) + R"(,"Masquerade":)" + (masquerade ? "true" : "false") + "}";
}

std::string forwarding(std::string_view protocol, std::string_view to,
                       std::string_view address, std::string_view translated) {
  return R"({"protocol":")" + std::string(protocol) + R"(","destinationPort":)" +
         std::string(to) + R"(,"translatedAddress":")" + std::string(address) +
         R"(","translatedPort":)" + std::string(translated) + "}";
}

constexpr std::string_view kLan = "wKgHAg==";  // 192.168.7.2

NftPlan plan(std::string_view members, const Config& config = {},
             FullTunnel full_tunnel = FullTunnel::off) {
  const auto map = map_of(members);
  Accepted accepted;
  accepted.peers.resize(map.remote_peers.size(), true);
  accepted.routes.resize(map.routes.size(), true);
  return nft_table(config, map, key(1), accepted, full_tunnel);
}

NftPlan routes(const std::string& list, const Config& config = {}) {
  return plan(R"("Routes":[)" + list + "]", config);
}

NftPlan forwardings(const std::string& list) {
  return plan(R"("forwardingRules":[)" + list + "]");
}

std::string only_refusal(const NftPlan& p) {
  REQUIRE(p.refusals.size() == 1);
  return p.refusals[0].text();
}

}  // namespace

TEST_CASE("a host without routes guards its overlay addresses") {
  const auto t = plan("").table;
  CHECK(t.link == "wt0");
  CHECK(t.overlay ==
        std::vector{*Prefix::parse("100.64.0.0/16"), *Prefix::parse("fd00:77::/64")});
  CHECK(t.own ==
        std::vector{*Address::parse("100.64.0.1"), *Address::parse("fd00:77::1")});
  CHECK_FALSE(t.reply_mark);
  CHECK_FALSE(t.empty());
  CHECK(NftTable{}.empty());
}

TEST_CASE("own routes that were accepted are opened, others' are not") {
  const auto map =
      map_of(R"("Routes":[)" + route("10.2.0.0/16", 1, true) + "," +
             route("10.1.0.0/16", 1, false) + "," + route("10.3.0.0/16", 2, true) + "," +
             route("10.4.0.0/16", 1, true) + "]");
  Accepted accepted;
  accepted.routes = {true, true, true, false};
  const auto t = nft_table({}, map, key(1), accepted, FullTunnel::off).table;
  CHECK(t.routed == std::vector<RoutedNetwork>{{*Prefix::parse("10.1.0.0/16"), false},
                                               {*Prefix::parse("10.2.0.0/16"), true}});
}

TEST_CASE("one network in two routes is masqueraded when one of them says so") {
  for (const bool first : {true, false})
    CHECK(routes(route("10.1.0.0/16", 1, first) + "," + route("10.1.0.0/16", 1, !first))
              .table.routed ==
          std::vector<RoutedNetwork>{{*Prefix::parse("10.1.0.0/16"), true}});
}

TEST_CASE("settings take parts of the table away") {
  Config config;
  config.disable_ipv6 = true;
  const auto v4 =
      routes(route("10.1.0.0/16", 1, false) + "," + route("fd01::/64", 1, false), config)
          .table;
  CHECK(v4.routed.size() == 1);
  CHECK(v4.own == std::vector{*Address::parse("100.64.0.1")});
  CHECK(v4.overlay.size() == 1);

  config = {};
  config.routing.disable_server_routes = true;
  const auto closed =
      plan(R"("Routes":[)" + route("10.1.0.0/16", 1, false) + R"(],"forwardingRules":[)" +
               forwarding("TCP", R"({"port":80})", kLan, R"({"port":80})") + "]",
           config);
  CHECK(closed.table.routed.empty());
  CHECK(closed.table.dnat.empty());
  CHECK(closed.refusals.empty());
}

TEST_CASE("in a full tunnel replies are marked with what the settings say") {
  Config config;
  config.routing.mark = 0x100;
  config.routing.mark_mask = 0xf00;
  CHECK(plan("", config, FullTunnel::on).table.reply_mark == ReplyMark{0x100, 0xf00});
}

TEST_CASE("forwarding rules keep protocol, ports and address") {
  const auto t =
      forwardings(forwarding("TCP", R"({"port":80})", kLan, R"({"port":8080})") + "," +
                  forwarding("UDP", R"({"range":{"start":5000,"end":5002}})", kLan,
                             R"({"range":{"start":6000,"end":6002}})") +
                  "," + forwarding("ALL", R"({"port":53})", kLan, "{}"))
          .table;
  const auto lan = *Address::parse("192.168.7.2");
  CHECK(t.dnat == std::vector<Dnat>{{Protocol::tcp, {80, 80}, lan, {8080, 8080}},
                                    {Protocol::udp, {5000, 5002}, lan, {6000, 6002}},
                                    {Protocol::tcp, {53, 53}, lan, {53, 53}},
                                    {Protocol::udp, {53, 53}, lan, {53, 53}}});
}

TEST_CASE("a forwarding rule that cannot be done is refused alone, with its reason") {
  const std::string good = forwarding("TCP", R"({"port":80})", kLan, R"({"port":80})");
  const auto refusal = [&](const std::string& bad) {
    const auto p = forwardings(good + "," + bad);
    CHECK(p.table.dnat.size() == 1);
    return only_refusal(p);
  };
  CHECK(refusal(forwarding("UDP", R"({"range":{"start":5000,"end":5010}})", kLan,
                           R"({"range":{"start":6000,"end":6005}})")) ==
        "forwarding rule 1 (/forwardingRules/1): ports 5000-5010 do not fit ports "
        "6000-6005: one has 11, the other 6");
  CHECK(refusal(forwarding("ICMP", R"({"port":80})", kLan, "{}"))
            .ends_with("only TCP and UDP have ports to forward"));
  CHECK(refusal(forwarding("TCP", "{}", kLan, "{}"))
            .ends_with("it names no port, and would take every port of this host"));
  CHECK(refusal(forwarding("ALL", R"({"range":{"start":79,"end":81}})", kLan, "{}"))
            .ends_with("port 80/tcp is forwarded by an earlier rule"));
  CHECK(refusal(forwarding("TCP", R"({"port":81})", "fwAAAQ==", "{}"))
            .ends_with("127.0.0.1 is no address to forward to"));
  CHECK(refusal(R"({"protocol":"TCP","destinationPort":{"port":81}})")
            .ends_with("it names no translated address"));
}

TEST_CASE("forwarding rules have limits, and refusals are counted beyond theirs") {
  const auto shifted = [](int first, int last) {
    return forwarding("TCP",
                      R"({"range":{"start":)" + std::to_string(first) + R"(,"end":)" +
                          std::to_string(last) + "}}",
                      kLan,
                      R"({"range":{"start":)" + std::to_string(first + 1) + R"(,"end":)" +
                          std::to_string(last + 1) + "}}");
  };
  CHECK(forwardings(shifted(1, kMaxShiftedPorts)).refusals.empty());
  CHECK(only_refusal(forwardings(shifted(1, kMaxShiftedPorts + 1)))
            .ends_with("more than 8192 ports that change their number"));

  std::string many;
  for (size_t i = 1; i <= kMaxForwardings + kMaxRefusals + 5; ++i)
    many += (i == 1 ? "" : ",") +
            forwarding("TCP", R"({"port":)" + std::to_string(i) + "}", kLan, "{}");
  const auto p = forwardings(many);
  CHECK(p.table.dnat.size() == kMaxForwardings);
  CHECK(p.refusals.size() == kMaxRefusals);
}

TEST_CASE("a translated address without an overlay address of its family is refused") {
  const auto map = decoded(
      R"({"peerConfig":{"address":"100.64.0.1/16"},"forwardingRules":[)" +
      forwarding("TCP", R"({"port":80})", "/QAABwAAAAAAAAAAAAAAAg==", "{}") + "]}");
  CHECK(only_refusal(nft_table({}, map, key(1), {}, FullTunnel::off))
            .ends_with("this host has no overlay address of the family of fd00:7::2"));
}

TEST_CASE("what we open leads to our link only, unless the host was a router before") {
  const std::vector<Sysctl> set = {
      {"net/ipv4/conf/eth0/forwarding", "1"}, {"net/ipv4/conf/eth1.7/forwarding", "1"},
      {"net/ipv4/conf/wt0/forwarding", "1"},  {"net/ipv4/conf/all/send_redirects", "0"},
      {"net/ipv6/conf/all/forwarding", "1"},  {"net/ipv6/conf/eth0/accept_ra", "2"},
      {"net/ipv6/conf/eth0/forwarding", "1"}};
  NftTable t{.link = "wt0"};
  keep_to_link(set, {}, t);
  CHECK(t.opened_v4 == std::vector<std::string>{"eth0", "eth1.7"});
  CHECK(t.opened_v6 == std::vector<std::string>{"eth0"});
  CHECK(t.opened_all_v6);
  CHECK(
      ruleset(t).contains("meta nfproto ipv4 iifname { \"eth0\", \"eth1.7\" } "
                          "oifname != \"wt0\" ct direction original counter drop"));
  CHECK(
      ruleset(t).contains("meta nfproto ipv6 iifname != \"wt0\" oifname != \"wt0\" "
                          "ct direction original counter drop"));
  NftTable router{.link = "wt0"};
  keep_to_link(set, {.forwards_v4 = true, .forwards_v6 = true}, router);
  CHECK(router == NftTable{.link = "wt0"});
}
