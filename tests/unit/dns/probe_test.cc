// SPDX-License-Identifier: GPL-2.0-or-later
// The probe against the resolver's own service, strangers and silence.
#include "dns/os/probe.hh"

#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "dns/server.hh"
#include "tests/unit/dns/own_network.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace wigeon::dns::os;
using namespace std::chrono_literals;

namespace {

struct Nobody : Exchange {
  Result<void> set_servers(std::span<const Endpoint>) override { return {}; }
  void send(const Endpoint&, Bytes, Transport, std::chrono::milliseconds, Done) override {
  }
};

struct Fixture {
  Loop loop = *Loop::open();
  Nobody nobody{};
  Service service{nobody};
  Server server{loop, service};
  std::vector<Endpoint> endpoints{};
  ProbeRecord record = ProbeRecord::make();

  Fixture() {
    enter_own_network();
    const std::vector<Address> addresses{*Address::parse("127.0.0.1"),
                                         *Address::parse("::1")};
    auto sockets = open_listeners(addresses, 0);
    REQUIRE(sockets);
    for (const auto& s : *sockets)
      if (s.transport == Transport::udp) endpoints.push_back(s.endpoint);
    REQUIRE(server.listen({.open = std::move(*sockets)}));
  }
  void know(const ProbeRecord& r) {
    service.replace_zones(*Zones::build({r.zone()}, {}));
  }
  std::vector<ProbeResult> probe(std::chrono::milliseconds limit = 5s) {
    std::optional<std::vector<ProbeResult>> results;
    std::unique_ptr<Probe> p;
    p = *Probe::start(loop, record, endpoints, limit, [&](auto& r) {
      results = r;
      p.reset();  // as owners do
    });
    CHECK_FALSE(results);
    while (!results) REQUIRE(loop.run_once(20ms));
    CHECK_FALSE(p);
    return *results;
  }
};

}  // namespace

TEST_CASE("our resolver is recognised over both transports and families") {
  Fixture f;
  f.know(f.record);
  const auto results = f.probe();
  CHECK(results.size() == 4);
  CHECK(summary(results).empty());
}

TEST_CASE("a server that does not know the name, or says another text, is not ours") {
  Fixture f;
  auto results = f.probe();
  CHECK(summary(results) == "udp " + f.endpoints[0].text() +
                                ": another server answers there: rcode 3 (and 3 more)");
  auto other = f.record;
  other.text = ProbeRecord::make().text;
  f.know(other);
  results = f.probe();
  CHECK(summary(results) ==
        "udp " + f.endpoints[0].text() + ": another server answers there (and 3 more)");
}

TEST_CASE("silence, a closed port and a peer that hangs up end in reasons") {
  Fixture f;
  f.know(f.record);
  // Bound and listening, and nobody reads.
  const std::vector<Address> silent{*Address::parse("127.0.0.2")};
  auto sockets = open_listeners(silent, 0);
  REQUIRE(sockets);
  f.endpoints = {(*sockets)[0].endpoint, {*Address::parse("127.0.0.3"), 9}};
  const auto results = f.probe(300ms);
  REQUIRE(results.size() == 4);
  CHECK(results[0].failure == "no reply within 300 ms");
  CHECK(results[1].failure == "no reply within 300 ms");
  CHECK(results[2].failure.find("Connection refused") != std::string::npos);
  CHECK(results[3].failure.find("Connection refused") != std::string::npos);
}

TEST_CASE("without servers a probe ends with nothing, and later") {
  Fixture f;
  f.endpoints.clear();
  CHECK(f.probe().empty());
}
