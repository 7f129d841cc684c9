// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/status_text.hh"

#include <catch2/catch.hpp>

#include "agent/cli/print.hh"
#include "tests/unit/control/status_fixture.hh"

using namespace wigeon;
using namespace wigeon::cli;

namespace {

const WallTime kNow = *parse_rfc3339("2002-02-02T02:03:32Z");

#if defined(__x86_64__)
const std::string kOs = "OS: linux/amd64\n";
#else
const std::string kOs =
    short_text({}, kNow).substr(0, short_text({}, kNow).find('\n') + 1);
#endif

bool has(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != text.npos;
}

}  // namespace

TEST_CASE("the short form has NetBird's lines in NetBird's order, then ours") {
  CHECK(short_text(two_peers(), kNow) == kOs +
                                             "Daemon version: 0.14.1\n"
                                             "CLI version: development\n"
                                             "Profile: \n"
                                             "Management: Connected\n"
                                             "Signal: Connected\n"
                                             "Relays: 1/2 Available\n"
                                             "Nameservers: 1/2 Available\n"
                                             "FQDN: some-localhost.awesome-domain.com\n"
                                             "NetBird IP: 192.168.178.100/16\n"
                                             "NetBird IPv6: fd00::100/64\n"
                                             "Interface type: Kernel\n"
                                             "Wireguard port: 51820\n"
                                             "Quantum resistance: false\n"
                                             "Lazy connection: false\n"
                                             "SSH Server: Disabled\n"
                                             "Networks: 10.10.0.0/24\n"
                                             "Peers count: 2/2 Connected\n"
                                             "DNS: off\n"
                                             "Firewall: none, the tunnel is unfiltered\n"
                                             "Map: none\n");
}

TEST_CASE("the detailed form has a block for each peer and lists instead of counts") {
  CHECK(detail_text(two_peers(), kNow) ==
        "Peers detail:\n"
        " peer-1.awesome-domain.com:\n"
        "  NetBird IP: 192.168.178.101\n"
        "  NetBird IPv6: fd00::1\n"
        "  Public key: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
        "  Status: Connected\n"
        "  -- detail --\n"
        "  Connection type: P2P\n"
        "  ICE candidate (Local/Remote): -/-\n"
        "  ICE candidate endpoints (Local/Remote): -/-\n"
        "  Relay server address: \n"
        "  Last connection update: 397 days, 1 hour ago\n"
        "  Last WireGuard handshake: 397 days, 1 hour ago\n"
        "  Transfer status (received/sent) 200 B/100 B\n"
        "  Quantum resistance: false\n"
        "  Networks: 10.1.0.0/24\n"
        "  Latency: 10ms\n"
        "\n"
        " peer-2.awesome-domain.com:\n"
        "  NetBird IP: 192.168.178.102\n"
        "  Public key: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n"
        "  Status: Connected\n"
        "  -- detail --\n"
        "  Connection type: Relayed\n"
        "  ICE candidate (Local/Remote): relay/prflx\n"
        "  ICE candidate endpoints (Local/Remote): 10.0.0.1:10001/10.0.10.1:10002\n"
        "  Relay server address: \n"
        "  Last connection update: 1 minute, 30 seconds ago\n"
        "  Last WireGuard handshake: 1 minute, 29 seconds ago\n"
        "  Transfer status (received/sent) 2.0 KiB/1000 B\n"
        "  Quantum resistance: false\n"
        "  Networks: -\n"
        "  Latency: 10ms\n"
        "\n"
        "Events: No events recorded\n" +
            kOs +
            "Daemon version: 0.14.1\n"
            "CLI version: development\n"
            "Profile: \n"
            "Management: Connected to my-awesome-management.com:443\n"
            "Signal: Connected to my-awesome-signal.com:443\n"
            "Relays: \n"
            "  [stun:my-awesome-stun.com:3478] is Available\n"
            "  [turns:my-awesome-turn.com:443?transport=tcp] is Unavailable, reason: "
            "context: deadline exceeded\n"
            "Nameservers: \n"
            "  [8.8.8.8:53] for [.] is Available\n"
            "  [1.1.1.1:53, 2.2.2.2:53] for [example.com, example.net] is Unavailable, "
            "reason: timeout\n"
            "FQDN: some-localhost.awesome-domain.com\n"
            "NetBird IP: 192.168.178.100/16\n"
            "NetBird IPv6: fd00::100/64\n"
            "Interface type: Kernel\n"
            "Wireguard port: 51820\n"
            "Quantum resistance: false\n"
            "Lazy connection: false\n"
            "SSH Server: Disabled\n"
            "Networks: 10.10.0.0/24\n"
            "Peers count: 2/2 Connected\n"
            "DNS: off\n"
            "Firewall: none, the tunnel is unfiltered\n"
            "Map: none\n"
            "Routing: 0 routes, 0 rules, 0 operations, 0 repairs\n");
}

TEST_CASE("a host with nothing yet shows N/A and dashes") {
  const auto text = short_text({.cli_version = "1"}, kNow);
  for (const char* line :
       {"Daemon version: N/A", "Management: Disconnected", "Relays: 0/0 Available",
        "FQDN: ", "NetBird IP: N/A", "Interface type: N/A", "Wireguard port: N/A",
        "Networks: -", "Peers count: 0/0 Connected"})
    CHECK(has(text, line));
  CHECK(text.find("IPv6") == text.npos);
  CHECK(text.find("Degraded") == text.npos);
  CHECK(detail_text({}, kNow).starts_with(
      "Peers detail:\nEvents: No events recorded\nOS: "));
}

TEST_CASE("optional lines appear when there is something to say") {
  auto report = everything();
  report.management = {.error = "no map"};
  report.kernel_interface = false;
  report.networks = {"10.2.0.0/16", "10.10.0.0/24"};
  const auto text = short_text(report, kNow);
  for (const char* line :
       {"Management: Disconnected, reason: no map", "Interface type: Userspace",
        "Quantum resistance: true (permissive)", "Lazy connection: true",
        "SSH Server: Enabled (2 active sessions)", "Networks: 10.10.0.0/24, 10.2.0.0/16",
        "Forwarding rules: 3"})
    CHECK(has(text, line));
  report.session_expires_at = kNow + std::chrono::minutes(135);
  CHECK(
      has(short_text(report, kNow), "Session expires: 2002-02-02T04:18:32Z (in 2h 15m)"));
  report.session_expires_at = kNow - std::chrono::minutes(3);
  CHECK(has(short_text(report, kNow),
            "Session expires: 2002-02-02T02:00:32Z (expired 3m ago)"));
}

TEST_CASE("our own lines say what runs and why") {
  const auto text = detail_text(everything(), kNow);
  for (const char* line :
       {"DNS: bind (asked for), listening on 192.168.178.100:53, [fd00::100]:53, host's "
        "resolver: systemd (resolved=up stub=yes)",
        "  port 53: tcx on lo, program 17, tag 0123456789abcdef",
        "  zones: 2, records: 6, domains: awesome-domain.com",
        "Firewall: none, wt0 is unfiltered (no filter yet)",
        "Map: file:///etc/wigeon/network_map.json serial 5, loaded 397 days, 2 hours "
        "ago, "
        "stale: its source cannot be read, the newest one is refused: /Routes/0: bad",
        "Refused: 10.0.0.0/8 (overlaps eth0)", "Degraded: routing: rule lost (error)",
        "Degraded: dns: slow"})
    CHECK(has(text, line));
  const StatusReport filtered{
      .datapath = {.interface = "wt0", .backend = "tc", .filtered = true}};
  CHECK(has(short_text(filtered, kNow), "Firewall: tc"));
}

TEST_CASE("events, relays and SSH sessions are listed in the detailed form") {
  const auto text = detail_text(everything(), kNow);
  CHECK(text.find("\nEvents:\n"
                  "  [WARNING] DNS (e1)\n"
                  "    Message: no answer\n"
                  "    Time: 397 days, 1 hour ago\n"
                  "    Metadata: server: 192.0.2.1, zone: .\n"
                  "OS: ") != text.npos);
  CHECK(has(text, "  [stun:my-awesome-stun.com:3478] is Available via quic"));
  CHECK(text.find("SSH Server: Enabled (2 active sessions)\n"
                  "  [ann@100.64.0.2:1 -> root] ls\n"
                  "    8080:80\n"
                  "  [bob@100.64.0.3:2] top\n") != text.npos);
}

TEST_CASE("quantum resistance of a peer depends on both sides") {
  const auto line = [](bool ours, bool permissive, bool theirs) {
    const StatusReport report{.peers = {.details = {{.quantum_resistance = theirs}}},
                              .quantum_resistance = ours,
                              .quantum_resistance_permissive = permissive};
    const auto text = peers_text(report, kNow);
    const auto at = text.find("Quantum resistance: ") + 20;
    return text.substr(at, text.find('\n', at) - at);
  };
  CHECK(line(false, false, false) == "false");
  CHECK(line(true, false, true) == "true");
  CHECK(line(true, true, false) == "false (remote didn't enable quantum resistance)");
  CHECK(line(true, false, false) ==
        "false (connection won't work without a permissive mode)");
  CHECK(line(false, false, true) ==
        "false (connection might not work without a remote permissive mode)");
}

TEST_CASE("a name cannot begin a line of its own") {
  const StatusReport report{.peers = {.details = {{.fqdn = "a\n  Status: Connected"}}}};
  CHECK(peers_text(report, kNow).find("\n a?  Status: Connected:\n") !=
        std::string::npos);
}

TEST_CASE("the detailed form shows what is routed through whom, and what was changed") {
  const auto text = own_text(everything(), kNow, Detail::lists);
  CHECK(
      text.find("\nRouting: 4 routes, 2 rules, 7 operations, 2 repairs, last: route add "
                "10.1.0.0/16 dev wt0\n"
                "  [office] 10.1.0.0/16 through peer-1.awesome-domain.com (the best "
                "routing peer)\n"
                "  [lab] 10.2.0.0/16 through nobody (not selected)\n"
                "  sysctl net.ipv4.ip_forward = 1, was 0\n"
                "  nftables: inet wigeon in force, 4 rules\n"
                "  foreign firewall: inet firewalld accepts wt0 now\n"
                "Refused: 10.0.0.0/8 (overlaps eth0)\n") != text.npos);
  StatusReport r;
  r.routing.nftables = {.table = "inet wigeon", .reason = "no permission"};
  CHECK(has(own_text(r, kNow, Detail::lists),
            "  nftables: inet wigeon is not in force (no permission)"));
  CHECK(own_text(everything(), kNow, Detail::counts).find("Routing:") == text.npos);
}
