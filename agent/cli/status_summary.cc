// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "agent/cli/print.hh"
#include "agent/cli/status_text.hh"
#include "agent/control/time_text.hh"

namespace wigeon::cli {
namespace {

// As Go names it.
#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64";
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::string_view kArchitecture = "riscv64";
#else
constexpr std::string_view kArchitecture = "unknown";
#endif

// NetBird's word for a relay that is still being tried.
constexpr std::string_view kCheckInProgress = "check in progress";

std::string or_na(std::string_view s) { return s.empty() ? "N/A" : plain(s); }

std::string with_reason(std::string_view state, const std::string& error) {
  return error.empty() ? std::string(state)
                       : fmt::format("{}, reason: {}", state, plain(error));
}

std::string service(const ServiceStatus& s, Detail detail) {
  if (!s.connected) return with_reason("Disconnected", s.error);
  return detail == Detail::lists ? "Connected to " + plain(s.url) : "Connected";
}

std::string relay(const RelayStatus& r) {
  if (!r.available)
    return r.error == kCheckInProgress ? "Checking..."
                                       : with_reason("Unavailable", r.error);
  return r.transport.empty() ? "Available" : "Available via " + plain(r.transport);
}

std::string relays(const RelaysStatus& r, Detail detail) {
  if (detail == Detail::counts)
    return fmt::format("{}/{} Available", r.available, r.total);
  std::string out;
  for (const auto& one : r.details)
    out += fmt::format("\n  [{}] is {}", plain(one.uri), relay(one));
  return out;
}

std::string nameservers(const std::vector<NameserverStatus>& groups, Detail detail) {
  if (detail == Detail::counts)
    return fmt::format("{}/{} Available",
                       std::ranges::count_if(groups, &NameserverStatus::enabled),
                       groups.size());
  std::string out;
  for (const auto& g : groups)
    out += fmt::format("\n  [{}] for [{}] is {}", plain(joined(g.servers)),
                       plain(joined(g.domains, ".")),
                       with_reason(g.enabled ? "Available" : "Unavailable", g.error));
  return out;
}

std::string quantum(const StatusReport& r) {
  if (!r.quantum_resistance) return "false";
  return r.quantum_resistance_permissive ? "true (permissive)" : "true";
}

std::string ssh(const SshServerStatus& server, Detail detail) {
  if (!server.enabled) return "Disabled";
  if (server.sessions.empty()) return "Enabled";
  std::string out = fmt::format("Enabled ({} active session{})", server.sessions.size(),
                                server.sessions.size() == 1 ? "" : "s");
  if (detail == Detail::counts) return out;
  for (const auto& s : server.sessions) {
    const auto who =
        s.jwt_username.empty()
            ? fmt::format("{}@{}", s.username, s.remote_address)
            : fmt::format("{}@{} -> {}", s.jwt_username, s.remote_address, s.username);
    out += fmt::format("\n  [{}] {}", plain(who), plain(s.command));
    for (const auto& forward : s.port_forwards) out += "\n    " + plain(forward);
  }
  return out;
}

std::string session_expiry(WallTime at, WallTime now) {
  const auto when = rfc3339(at);
  if (at > now) return fmt::format("{} (in {})", when, remaining(at - now));
  return fmt::format("{} (expired {} ago)", when, remaining(now - at));
}

// Without the length of the network when it says nothing.
std::string ipv6(const InterfaceAddress& a) {
  return a.bits == a.address.bits() ? a.address.text() : a.text();
}

std::string interface_type(const StatusReport& r) {
  if (r.kernel_interface) return "Kernel";
  return r.ip ? "Userspace" : "N/A";
}

}  // namespace

std::string summary_text(const StatusReport& r, WallTime now, Detail detail) {
  std::string out;
  const auto line = [&out](std::string_view label, std::string_view value) {
    out += fmt::format("{}: {}\n", label, value);
  };
  auto networks = r.networks;
  std::ranges::sort(networks);
  line("OS", fmt::format("linux/{}", kArchitecture));
  line("Daemon version", or_na(r.daemon_version));
  line("CLI version", or_na(r.cli_version));
  line("Profile", plain(r.profile));
  line("Management", service(r.management, detail));
  line("Signal", service(r.signal, detail));
  line("Relays", relays(r.relays, detail));
  line("Nameservers", nameservers(r.nameservers, detail));
  line("FQDN", plain(r.fqdn));
  line("NetBird IP", r.ip ? r.ip->text() : "N/A");
  if (r.ipv6) line("NetBird IPv6", ipv6(*r.ipv6));
  line("Interface type", interface_type(r));
  line("Wireguard port", r.wireguard_port ? std::to_string(r.wireguard_port) : "N/A");
  line("Quantum resistance", quantum(r));
  line("Lazy connection", r.lazy_connection ? "true" : "false");
  line("SSH Server", ssh(r.ssh_server, detail));
  line("Networks", plain(joined(networks, "-")));
  if (r.forwarding_rules > 0)
    line("Forwarding rules", std::to_string(r.forwarding_rules));
  if (r.session_expires_at != kNever)
    line("Session expires", session_expiry(r.session_expires_at, now));
  line("Peers count", fmt::format("{}/{} Connected", r.peers.connected, r.peers.total));
  return out;
}

std::string short_text(const StatusReport& report, WallTime now) {
  return summary_text(report, now, Detail::counts) +
         own_text(report, now, Detail::counts);
}

std::string detail_text(const StatusReport& report, WallTime now) {
  return "Peers detail:" + peers_text(report, now) +
         "\nEvents:" + events_text(report, now) + "\n" +
         summary_text(report, now, Detail::lists) + own_text(report, now, Detail::lists);
}

}  // namespace wigeon::cli
