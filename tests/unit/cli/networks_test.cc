// SPDX-License-Identifier: GPL-2.0-or-later
// networks and forwarding against a server that plays the daemon.
#include "tests/unit/cli/served_cli.hh"

using namespace wigeon;

namespace {

void answer(Served& served, const char* method, std::string result) {
  served->on(method, Permission::read,
             [result](Request, Server::Reply reply) { reply.result(result); });
}

}  // namespace

TEST_CASE("networks are listed in NetBird's words") {
  Served served;
  NetworksResult networks;
  served->on("networks_list", Permission::read,
             [&](Request, Server::Reply reply) { reply.result(encode(networks)); });
  CHECK(wigeon_with(served, {"networks", "list"}).out == "No networks available.\n");
  networks.networks = {
      {.id = "lab", .networks = {"10.1.0.0/16", "fd00:1::/64"}, .selected = true},
      {.id = "office\x1b", .networks = {"10.2.0.0/16"}},
      {.id = "site", .domains = {"a.example", "b.example"}},
      {.id = "sites",
       .domains = {"c.example"},
       .resolved = {{"c.example", {"192.0.2.1", "192.0.2.2"}}},
       .selected = true}};
  const std::string golden =
      "Available Networks:\n"
      "\n"
      "  - ID: lab\n"
      "    Network: 10.1.0.0/16, fd00:1::/64\n"
      "    Status: Selected\n"
      "\n"
      "  - ID: office?\n"
      "    Network: 10.2.0.0/16\n"
      "    Status: Not Selected\n"
      "\n"
      "  - ID: site\n"
      "    Domains: a.example, b.example\n"
      "    Status: Not Selected\n"
      "    Resolved IPs: -\n"
      "\n"
      "  - ID: sites\n"
      "    Domains: c.example\n"
      "    Status: Selected\n"
      "    Resolved IPs:\n"
      "      [c.example]: 192.0.2.1, 192.0.2.2\n";
  CHECK(wigeon_with(served, {"networks", "list"}).out == golden);
  CHECK(wigeon_with(served, {"routes", "ls"}).out == golden);
  CHECK(wigeon_with(served, {"networks", "list", "--json"}).out ==
        encode(networks) + "\n");
}

TEST_CASE("networks are selected and deselected as NetBird does") {
  Served served;
  std::vector<std::string> asked;
  for (const char* method : {"networks_select", "networks_deselect"})
    served->on(method, Permission::change, [&](Request request, Server::Reply reply) {
      asked.push_back(request.method + " " + request.params);
      reply.result("{}");
    });
  auto output = wigeon_with(served, {"networks", "select", "a", "b"});
  CHECK(output.out == "Networks selected successfully.\n");
  CHECK(output.exit == 0);
  (void)wigeon_with(served, {"networks", "select", "-a", "c"});
  (void)wigeon_with(served, {"routes", "select", "all", "--append"});
  output = wigeon_with(served, {"networks", "deselect", "a"});
  CHECK(output.out == "Networks deselected successfully.\n");
  (void)wigeon_with(served, {"networks", "deselect", "all"});
  CHECK(asked ==
        std::vector<std::string>{R"(networks_select {"append":false,"ids":["a","b"]})",
                                 R"(networks_select {"append":true,"ids":["c"]})",
                                 R"(networks_select {"append":false,"all":true})",
                                 R"(networks_deselect {"append":false,"ids":["a"]})",
                                 R"(networks_deselect {"append":false,"all":true})"});
}

TEST_CASE("a network that is not there ends in 10, a wrong command line in 2") {
  Served served;
  served->on("networks_select", Permission::change, [](Request, Server::Reply reply) {
    reply.fail(Code::not_found, "route 'x' is not available");
  });
  const auto output = wigeon_with(served, {"networks", "select", "x"});
  CHECK(output.exit == 10);
  CHECK(output.err == "Error: route 'x' is not available\n");
  CHECK(wigeon_with(served, {"networks", "select"}).exit == 2);
  CHECK(wigeon_with(served, {"networks"}).exit == 2);
  CHECK(wigeon_with(served, {"networks", "deselect", "-a", "x"}).exit == 2);
}

TEST_CASE("forwarding rules are listed by the address they lead to") {
  Served served;
  answer(served, "forwarding_list", "{}");
  CHECK(wigeon_with(served, {"forwarding", "list"}).out ==
        "No forwarding rules available.\n");
  const ForwardingResult rules{
      {{"udp", "53", "100.64.0.9", "dns.example", "5353"},
       {"tcp", "8000-8010", "100.64.0.10", "web.example", "80-90"},
       {"tcp", "443", "100.64.0.10", "web.example", "8443"},
       {"icmp", "", "100.64.0.7", "", ""}}};
  answer(served, "forwarding_list", encode(rules));
  CHECK(wigeon_with(served, {"forwarding", "ls"}).out ==
        "Available forwarding rules:\n"
        "\n"
        "Translated peer: web.example\n"
        "  Local tcp/443 to 100.64.0.10:8443\n"
        "  Local tcp/8000-8010 to 100.64.0.10:80-90\n"
        "\n"
        "Translated peer: 100.64.0.7\n"
        "  Local icmp/No port specified to 100.64.0.7:No port specified\n"
        "\n"
        "Translated peer: dns.example\n"
        "  Local udp/53 to 100.64.0.9:5353\n");
  CHECK(wigeon_with(served, {"forwarding", "list", "-j"}).out == encode(rules) + "\n");
}

TEST_CASE("an answer that makes no sense is an error") {
  Served served;
  answer(served, "networks_list", R"({"networks":1})");
  answer(served, "forwarding_list", R"({"rules":{}})");
  CHECK(wigeon_with(served, {"networks", "list"}).exit == 1);
  CHECK(wigeon_with(served, {"forwarding", "list"}).err ==
        "Error: the daemon's answer makes no sense: /rules: must be a list\n");
}
