// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/status.hh"

#include "tests/unit/control/status_fixture.hh"

#include <catch2/catch.hpp>

using namespace wigeon;

TEST_CASE("JSON has NetBird's keys in NetBird's order, then our own blocks") {
  CHECK(
      to_json(two_peers()) ==
      R"({"peers":{"total":2,"connected":2,"details":[)"
      R"({"fqdn":"peer-1.awesome-domain.com","netbirdIp":"192.168.178.101",)"
      R"("netbirdIpv6":"fd00::1",)"
      R"("publicKey":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",)"
      R"("status":"Connected","lastStatusUpdate":"2001-01-01T01:01:01Z",)"
      R"("connectionType":"P2P","iceCandidateType":{"local":"","remote":""},)"
      R"("iceCandidateEndpoint":{"local":"","remote":""},"relayAddress":"",)"
      R"("lastWireguardHandshake":"2001-01-01T01:01:02Z","transferReceived":200,)"
      R"("transferSent":100,"latency":10000000,"quantumResistance":false,)"
      R"("networks":["10.1.0.0/24"]},)"
      R"({"fqdn":"peer-2.awesome-domain.com","netbirdIp":"192.168.178.102",)"
      R"("publicKey":"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",)"
      R"("status":"Connected","lastStatusUpdate":"2002-02-02T02:02:02Z",)"
      R"("connectionType":"Relayed",)"
      R"("iceCandidateType":{"local":"relay","remote":"prflx"},)"
      R"("iceCandidateEndpoint":{"local":"10.0.0.1:10001","remote":"10.0.10.1:10002"},)"
      R"("relayAddress":"","lastWireguardHandshake":"2002-02-02T02:02:03Z",)"
      R"("transferReceived":2000,"transferSent":1000,"latency":10000000,)"
      R"("quantumResistance":false,"networks":null}]},)"
      R"("cliVersion":"development","daemonVersion":"0.14.1","daemonStatus":"Connected",)"
      R"("management":{"url":"my-awesome-management.com:443","connected":true,"error":""},)"
      R"("signal":{"url":"my-awesome-signal.com:443","connected":true,"error":""},)"
      R"("relays":{"total":2,"available":1,"details":[)"
      R"({"uri":"stun:my-awesome-stun.com:3478","available":true,"error":""},)"
      R"({"uri":"turns:my-awesome-turn.com:443?transport=tcp","available":false,)"
      R"("error":"context: deadline exceeded"}]},)"
      R"("netbirdIp":"192.168.178.100/16","netbirdIpv6":"fd00::100/64",)"
      R"("publicKey":"AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",)"
      R"("usesKernelInterface":true,"wireguardPort":51820,)"
      R"("fqdn":"some-localhost.awesome-domain.com","quantumResistance":false,)"
      R"("quantumResistancePermissive":false,"networks":["10.10.0.0/24"],)"
      R"("forwardingRules":0,"dnsServers":[)"
      R"({"servers":["8.8.8.8:53"],"domains":null,"enabled":true,"error":""},)"
      R"({"servers":["1.1.1.1:53","2.2.2.2:53"],"domains":["example.com","example.net"],)"
      R"("enabled":false,"error":"timeout"}],"events":[],"lazyConnectionEnabled":false,)"
      R"("profileName":"","sshServer":{"enabled":false,"sessions":[]},)"
      R"("dns":{"manager":"","managerReason":"","applied":false,"applyFailure":"",)"
      R"("probedAt":"0001-01-01T00:00:00Z","probeFailure":"","redirect":"",)"
      R"("redirectReason":"","redirectAttached":"","redirectProgram":0,"redirectTag":"",)"
      R"("redirectCounters":{},"redirectRefused":[],"sandbox":"","listen":[],"listeners":[],"zones":0,)"
      R"("records":0,"domains":[],"zoneList":[],"groups":[],"cache":{"entries":0,)"
      R"("bytes":0,"hits":0,"misses":0,"evicted":0,"stale":0},"queries":{},"upstream":{}},)"
      R"("datapath":{"interface":"","backend":"","filtered":false,"reason":"",)"
      R"("counters":{}},"routing":{"refused":[],"routes":0,"rules":0,"operations":0,)"
      R"("repairs":0,"lastRepair":"","groups":[],"sysctls":[],)"
      R"("nftables":{"table":"","inForce":false,"rules":0,"reason":""},)"
      R"("foreignFirewall":[]},)"
      R"("map":{"source":"","serial":0,"loadedAt":"0001-01-01T00:00:00Z",)"
      R"("appliedAt":"0001-01-01T00:00:00Z","error":"","stale":false,"peers":0,)"
      R"("offlinePeers":0},"degraded":[]})");
}

TEST_CASE("YAML has the same keys, with durations as text and empty lists as lists") {
  CHECK(to_yaml(two_peers()) ==
        R"(peers:
    total: 2
    connected: 2
    details:
        - fqdn: peer-1.awesome-domain.com
          netbirdIp: 192.168.178.101
          netbirdIpv6: fd00::1
          publicKey: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=
          status: Connected
          lastStatusUpdate: 2001-01-01T01:01:01Z
          connectionType: P2P
          iceCandidateType:
            local: ""
            remote: ""
          iceCandidateEndpoint:
            local: ""
            remote: ""
          relayAddress: ""
          lastWireguardHandshake: 2001-01-01T01:01:02Z
          transferReceived: 200
          transferSent: 100
          latency: 10ms
          quantumResistance: false
          networks:
            - 10.1.0.0/24
        - fqdn: peer-2.awesome-domain.com
          netbirdIp: 192.168.178.102
          publicKey: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=
          status: Connected
          lastStatusUpdate: 2002-02-02T02:02:02Z
          connectionType: Relayed
          iceCandidateType:
            local: relay
            remote: prflx
          iceCandidateEndpoint:
            local: 10.0.0.1:10001
            remote: 10.0.10.1:10002
          relayAddress: ""
          lastWireguardHandshake: 2002-02-02T02:02:03Z
          transferReceived: 2000
          transferSent: 1000
          latency: 10ms
          quantumResistance: false
          networks: []
cliVersion: development
daemonVersion: 0.14.1
daemonStatus: Connected
management:
    url: my-awesome-management.com:443
    connected: true
    error: ""
signal:
    url: my-awesome-signal.com:443
    connected: true
    error: ""
relays:
    total: 2
    available: 1
    details:
        - uri: stun:my-awesome-stun.com:3478
          available: true
          error: ""
        - uri: turns:my-awesome-turn.com:443?transport=tcp
          available: false
          error: 'context: deadline exceeded'
netbirdIp: 192.168.178.100/16
netbirdIpv6: fd00::100/64
publicKey: AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=
usesKernelInterface: true
wireguardPort: 51820
fqdn: some-localhost.awesome-domain.com
quantumResistance: false
quantumResistancePermissive: false
networks:
    - 10.10.0.0/24
forwardingRules: 0
dnsServers:
    - servers:
        - 8.8.8.8:53
      domains: []
      enabled: true
      error: ""
    - servers:
        - 1.1.1.1:53
        - 2.2.2.2:53
      domains:
        - example.com
        - example.net
      enabled: false
      error: timeout
events: []
lazyConnectionEnabled: false
profileName: ""
sshServer:
    enabled: false
    sessions: []
dns:
    manager: ""
    managerReason: ""
    applied: false
    applyFailure: ""
    probedAt: 0001-01-01T00:00:00Z
    probeFailure: ""
    redirect: ""
    redirectReason: ""
    redirectAttached: ""
    redirectProgram: 0
    redirectTag: ""
    redirectCounters: {}
    redirectRefused: []
    sandbox: ""
    listen: []
    listeners: []
    zones: 0
    records: 0
    domains: []
    zoneList: []
    groups: []
    cache:
        entries: 0
        bytes: 0
        hits: 0
        misses: 0
        evicted: 0
        stale: 0
    queries: {}
    upstream: {}
datapath:
    interface: ""
    backend: ""
    filtered: false
    reason: ""
    counters: {}
routing:
    refused: []
    routes: 0
    rules: 0
    operations: 0
    repairs: 0
    lastRepair: ""
    groups: []
    sysctls: []
    nftables:
        table: ""
        inForce: false
        rules: 0
        reason: ""
    foreignFirewall: []
map:
    source: ""
    serial: 0
    loadedAt: 0001-01-01T00:00:00Z
    appliedAt: 0001-01-01T00:00:00Z
    error: ""
    stale: false
    peers: 0
    offlinePeers: 0
degraded: []
)");
}

TEST_CASE("everything a report holds survives JSON") {
  const auto json = to_json(everything());
  const auto back = status_from_json(json);
  REQUIRE(back);
  CHECK(to_json(*back) == json);
  CHECK(to_yaml(*back) == to_yaml(everything()));
  CHECK(back->degraded.at(0).severity == Severity::error);
  CHECK(back->peers.details.at(2).state == PeerState::connecting);
  CHECK(json.find(R"("dns":)" + to_json(everything().dns) + ",") != json.npos);
  CHECK(back->dns.groups.at(0).servers.at(0).latency == std::chrono::microseconds(1500));
  CHECK(json.find(R"("sessionExpiresAt":"2030-01-01T00:00:00Z")") != json.npos);
}

TEST_CASE("text that needs escapes survives, and bytes that are not UTF-8 are replaced") {
  StatusReport report;
  report.fqdn = std::string("a\"b\\c\n\x1b\0µ", 10);
  report.datapath.counters = {{std::string("a\0b", 3), 1}, {std::string("a\0c", 3), 2}};
  const auto back = status_from_json(to_json(report));
  REQUIRE(back);
  CHECK(back->fqdn == report.fqdn);
  CHECK(back->datapath.counters == report.datapath.counters);
  report.fqdn = "a\xff";
  CHECK(status_from_json(to_json(report))->fqdn == "a\xef\xbf\xbd");
}

TEST_CASE("keys that are missing, null or unknown do no harm") {
  const auto report = status_from_json(
      R"({"fqdn":"a.b","networks":null,"peers":{"details":[{"networks":null,"x":1}]},"y":{}})");
  REQUIRE(report);
  CHECK(report->fqdn == "a.b");
  CHECK(report->peers.details.size() == 1);
}

TEST_CASE("what does not fit is refused by its place") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"[]", "/: must be an object"},
      {R"({"fqdn":1})", "/fqdn: must be a string"},
      {R"({"wireguardPort":65536})", "/wireguardPort: must be a number from 0 to 65535"},
      {R"({"wireguardPort":-0})", "/wireguardPort: must be a number from 0 to 65535"},
      {R"({"wireguardPort":-1})", "/wireguardPort: must be a number from 0 to 65535"},
      {R"({"peers":{"details":[{},{"latency":"1"}]}})",
       "/peers/details/1/latency: must be nanoseconds"},
      {R"({"peers":{"details":[{"latency":18446744073709551615}]}})",
       "/peers/details/0/latency: must be nanoseconds"},
      {R"({"peers":{"details":[{"status":"Dancing"}]}})",
       "/peers/details/0/status: unknown value Dancing"},
      {R"({"peers":{"details":{}}})", "/peers/details: must be a list"},
      {R"({"datapath":{"counters":{"drops":"1"}}})", "/datapath/counters/drops: must be"},
      {R"({"sshServer":[]})", "/sshServer: must be an object"},
      {R"({"events":[{"timestamp":"yesterday"}]})", "/events/0/timestamp: not a time"},
      {R"({"publicKey":"short"})", "/publicKey: "},
  };
  for (const auto& [json, why] : table) {
    const auto report = status_from_json(json);
    REQUIRE_FALSE(report);
    CHECK(report.error().what.starts_with(why));
  }
}
