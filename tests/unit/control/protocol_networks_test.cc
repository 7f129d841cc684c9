// SPDX-License-Identifier: GPL-2.0-or-later
#include <catch2/catch.hpp>

#include "agent/control/protocol.hh"

using namespace wigeon;

TEST_CASE("a choice of networks survives encoding") {
  const NetworksParams some{.ids = {"a", "b|c"}, .append = true};
  CHECK(encode(some) == R"({"append":true,"ids":["a","b|c"]})");
  CHECK(*decode_networks(encode(some)) == some);
  const NetworksParams all{.all = true};
  CHECK(encode(all) == R"({"append":false,"all":true})");
  CHECK(*decode_networks(encode(all)) == all);
}

TEST_CASE("a choice that makes no sense is refused by its place") {
  const auto why = [](std::string_view params) {
    const auto p = decode_networks(params);
    return p ? std::string() : p.error().what;
  };
  const std::string none = "/ids: must name at least one network, unless all are meant";
  CHECK(why("{}") == none);
  CHECK(why(R"({"ids":[]})") == none);
  CHECK(why(R"({"all":true,"ids":["a"]})") == none);
  CHECK(why(R"({"ids":"a"})") == "/ids: must be a list");
  CHECK(why(R"({"ids":["a",1]})") == "/ids: /1: must be a string");
  CHECK(why(R"({"all":1})") == "/all: must be true or false");
  CHECK(why(R"({"ids":["a"],"id":1})") == "/id: unknown parameter");
  std::string many = "\"\"";
  for (size_t i = 0; i < kMaxListed; ++i) many += ",\"\"";
  CHECK(why("{\"ids\":[" + many + "]}") == "/ids: has more than 200000 elements");
}

TEST_CASE("lists of networks and forwarding rules survive encoding") {
  const NetworksResult networks{
      {{.id = "a", .networks = {"10.0.0.0/8"}, .selected = true},
       {.id = "d",
        .domains = {"x.example"},
        .resolved = {{"x.example", {"192.0.2.1", "192.0.2.2"}}},
        .reason = "domain routes are not built yet"}}};
  const auto json = encode(networks);
  CHECK(json ==
        R"({"networks":[{"id":"a","networks":["10.0.0.0/8"],"domains":[],)"
        R"("resolvedIPs":{},"selected":true,"reason":""},)"
        R"({"id":"d","networks":[],"domains":["x.example"],)"
        R"("resolvedIPs":{"x.example":["192.0.2.1","192.0.2.2"]},"selected":false,)"
        R"("reason":"domain routes are not built yet"}]})");
  CHECK(*decode_networks_list(json) == networks);
  CHECK(decode_networks_list("{}")->networks.empty());

  const ForwardingResult rules{{{.protocol = "tcp",
                                 .destination_port = "80-90",
                                 .translated_address = "100.64.0.2",
                                 .translated_hostname = "peer-1",
                                 .translated_port = "8080-8090"}}};
  CHECK(encode(rules) ==
        R"({"rules":[{"protocol":"tcp","destinationPort":"80-90",)"
        R"("translatedAddress":"100.64.0.2","translatedHostname":"peer-1",)"
        R"("translatedPort":"8080-8090"}]})");
  CHECK(*decode_forwarding(encode(rules)) == rules);
}

TEST_CASE("results that do not fit are refused by their place, new keys are skipped") {
  CHECK(decode_networks_list(R"({"networks":[{},{"selected":1}]})").error().what ==
        "/networks: /1: /selected: must be true or false");
  CHECK(decode_networks_list(R"({"networks":[{"resolvedIPs":{"a":1}}]})").error().what ==
        "/networks: /0: /resolvedIPs: /a: must be a list");
  CHECK(decode_networks_list(R"({"networks":[1]})").error().what ==
        "/networks: /0: must be an object");
  CHECK(decode_forwarding(R"({"rules":[{"protocol":6}]})").error().what ==
        "/rules: /0: /protocol: must be a string");
  CHECK(decode_forwarding(R"({"rules":[{"newer":1}],"x":2})")->rules.size() == 1);
}
