// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "agent/cli/print.hh"
#include "agent/cli/status_text.hh"
#include "agent/control/time_text.hh"

namespace wigeon::cli {
namespace {

std::string or_dash(const std::string& s) { return s.empty() ? "-" : plain(s); }

std::string both(const LocalRemote& pair) {
  return or_dash(pair.local) + "/" + or_dash(pair.remote);
}

// What comes of both sides' settings.
std::string_view quantum(const StatusReport& ours, const PeerStatus& peer) {
  if (!ours.quantum_resistance)
    return peer.quantum_resistance
               ? "false (connection might not work without a remote permissive mode)"
               : "false";
  if (peer.quantum_resistance) return "true";
  return ours.quantum_resistance_permissive
             ? "false (remote didn't enable quantum resistance)"
             : "false (connection won't work without a permissive mode)";
}

std::string block(const StatusReport& report, const PeerStatus& p, WallTime now) {
  std::string out = fmt::format("\n {}:\n", plain(p.fqdn));
  const auto line = [&out](std::string_view label, std::string_view value) {
    out += fmt::format("  {}: {}\n", label, value);
  };
  auto networks = p.networks;
  std::ranges::sort(networks);
  line("NetBird IP", p.ip ? p.ip->text() : "");
  if (p.ipv6) line("NetBird IPv6", p.ipv6->text());
  line("Public key", p.public_key.is_zero() ? "" : p.public_key.text());
  line("Status", text(p.state));
  out += "  -- detail --\n";
  line("Connection type", text(p.connection));
  line("ICE candidate (Local/Remote)", both(p.ice_candidate_type));
  line("ICE candidate endpoints (Local/Remote)", both(p.ice_candidate_endpoint));
  line("Relay server address", plain(p.relay_address));
  line("Last connection update", time_ago(p.last_update, now));
  line("Last WireGuard handshake", time_ago(p.last_handshake, now));
  out += fmt::format("  Transfer status (received/sent) {}/{}\n", bytes_text(p.received),
                     bytes_text(p.sent));
  line("Quantum resistance", quantum(report, p));
  line("Networks", plain(joined(networks, "-")));
  line("Latency", go_duration(p.latency));
  return out;
}

}  // namespace

std::string peers_text(const StatusReport& report, WallTime now) {
  std::string out;
  for (const auto& peer : report.peers.details) out += block(report, peer, now);
  return out;
}

std::string events_text(const StatusReport& report, WallTime now) {
  if (report.events.empty()) return " No events recorded";
  std::string out;
  for (const auto& e : report.events) {
    out += fmt::format("\n  [{}] {} ({})\n    Message: {}\n    Time: {}",
                       plain(e.severity), plain(e.category), plain(e.id),
                       plain(e.message), time_ago(e.timestamp, now));
    std::vector<std::string> pairs;
    pairs.reserve(e.metadata.size());
    for (const auto& [key, value] : e.metadata)
      pairs.push_back(fmt::format("{}: {}", key, value));
    if (!pairs.empty()) out += "\n    Metadata: " + plain(joined(pairs));
  }
  return out;
}

}  // namespace wigeon::cli
