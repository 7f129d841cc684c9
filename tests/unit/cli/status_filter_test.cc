// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/status_filter.hh"

#include <catch2/catch.hpp>

#include "tests/unit/control/status_fixture.hh"

using namespace wigeon;
using namespace wigeon::cli;

namespace {

// The names left, and the counts.
std::string filtered(const std::vector<std::string>& ips,
                     const std::vector<std::string>& names, const std::string& state = "",
                     const std::string& connection = "") {
  auto peers = everything().peers;
  apply(*parse_filter(ips, names, state, connection), peers);
  std::string out = std::to_string(peers.connected) + "/" + std::to_string(peers.total);
  for (const auto& p : peers.details) out += " " + p.fqdn.substr(0, 6);
  return out;
}

}  // namespace

TEST_CASE("without a filter all peers stay, sorted by number and not by text") {
  CHECK(filtered({}, {}) == "2/3 peer-3 peer-1 peer-2");
}

TEST_CASE("filters narrow and the counts follow") {
  CHECK(filtered({"192.168.178.102"}, {}) == "1/1 peer-2");
  CHECK(filtered({"192.168.178.102", "192.168.178.9"}, {}) == "1/2 peer-3 peer-2");
  CHECK(filtered({"FD00:0::1"}, {}) == "1/1 peer-1");
  CHECK(filtered({"192.0.2.1"}, {}) == "0/0");
  CHECK(filtered({}, {"peer-1"}) == "1/1 peer-1");
  CHECK(filtered({}, {"peer"}) == "2/3 peer-3 peer-1 peer-2");
  CHECK(filtered({}, {"awesome"}) == "0/0");
  CHECK(filtered({}, {}, "connecting") == "0/1 peer-3");
  CHECK(filtered({}, {}, "idle") == "0/0");
  CHECK(filtered({}, {}, "", "relayed") == "1/1 peer-2");
  CHECK(filtered({}, {"peer-1", "peer-3"}, "connected") == "1/1 peer-1");
}

TEST_CASE("case does not matter, on either side") {
  CHECK(filtered({}, {"PEER-1.Awesome"}, "CONNECTED", "p2p") == "1/1 peer-1");
  PeersStatus peers{.details = {{.fqdn = "Web.Example"}}};
  apply(*parse_filter({}, {"web"}, "", ""), peers);
  CHECK(peers.total == 1);
}

TEST_CASE("wrong filters say what is right") {
  CHECK(parse_filter({}, {}, "up", "").error().message ==
        "wrong status filter, should be one of connected|connecting|idle, got: up");
  CHECK(parse_filter({}, {}, "", "-").error().message ==
        "wrong connection-type filter, should be one of P2P|Relayed, got: -");
  const auto ip = parse_filter({"1.2.3"}, {}, "", "");
  CHECK(ip.error().message.starts_with(
      "got an invalid IP address in the filter: address 1.2.3, error "));
  CHECK(ip.error().code == Code::usage);
}
