// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include "agent/cli/print.hh"
#include "agent/cli/status_text.hh"

namespace wigeon::cli {
namespace {

// "value (reason)"
std::string because(std::string value, const std::string& reason) {
  return reason.empty() ? value : fmt::format("{} ({})", value, plain(reason));
}

std::string dns(const DnsStatus& d, Detail detail) {
  if (d.redirect.empty() && d.listen.empty() && d.manager.empty()) return "off";
  std::string out =
      because(d.redirect.empty() ? "no resolver" : plain(d.redirect), d.redirect_reason);
  if (!d.listen.empty()) out += ", listening on " + plain(joined(d.listen));
  if (!d.manager.empty())
    out += ", host's resolver: " + because(plain(d.manager), d.manager_reason);
  if (detail == Detail::lists && !d.redirect_attached.empty())
    out += fmt::format("\n  port 53: {}{}", plain(d.redirect_attached),
                       d.redirect_program == 0
                           ? std::string()
                           : fmt::format(", program {}, tag {}", d.redirect_program,
                                         plain(d.redirect_tag)));
  if (detail == Detail::lists)
    out += fmt::format("\n  zones: {}, records: {}, domains: {}", d.zones, d.records,
                       plain(joined(d.domains, "-")));
  return out;
}

std::string firewall(const DatapathStatus& d) {
  std::string out = d.backend.empty() ? "none" : plain(d.backend);
  if (!d.filtered)
    out += fmt::format(", {} is unfiltered",
                       d.interface.empty() ? "the tunnel" : plain(d.interface));
  return because(std::move(out), d.reason);
}

std::string nftables(const NftablesStatus& n) {
  if (!n.in_force) return because(plain(n.table) + " is not in force", n.reason);
  return because(fmt::format("{} in force, {} rules", plain(n.table), n.rules), n.reason);
}

// For `status -d`: what is routed through whom, and what of the host was changed for it.
std::string routing(const RoutingStatus& r) {
  std::string out = fmt::format("{} routes, {} rules, {} operations, {} repairs",
                                r.routes, r.rules, r.operations, r.repairs);
  if (!r.last_repair.empty()) out += ", last: " + plain(r.last_repair);
  for (const auto& g : r.groups)
    out += "\n  " + because(fmt::format("[{}] {} through {}", plain(g.network_id),
                                        plain(g.network),
                                        g.peer.empty() ? "nobody" : plain(g.peer)),
                            g.reason);
  for (const auto& s : r.sysctls)
    out += fmt::format("\n  sysctl {} = {}, was {}", plain(s.name), plain(s.value),
                       plain(s.before));
  if (!r.nftables.table.empty()) out += "\n  nftables: " + nftables(r.nftables);
  for (const auto& sentence : r.foreign)
    out += "\n  foreign firewall: " + plain(sentence);
  return out;
}

std::string map(const MapStatus& m, WallTime now, Detail detail) {
  if (m.source.empty()) return because("none", m.error);
  std::string out = fmt::format("{} serial {}", plain(m.source), m.serial);
  if (detail == Detail::lists && m.loaded_at != kNever)
    out += ", loaded " + time_ago(m.loaded_at, now);
  if (m.stale) out += ", stale: its source cannot be read";
  if (!m.error.empty()) out += ", the newest one is refused: " + plain(m.error);
  return out;
}

}  // namespace

std::string own_text(const StatusReport& r, WallTime now, Detail detail) {
  std::string out = "DNS: " + dns(r.dns, detail) + "\n";
  out += "Firewall: " + firewall(r.datapath) + "\n";
  out += "Map: " + map(r.map, now, detail) + "\n";
  if (detail == Detail::lists) out += "Routing: " + routing(r.routing) + "\n";
  for (const auto& refusal : r.routing.refused)
    out += "Refused: " + because(plain(refusal.what), refusal.reason) + "\n";
  for (const auto& d : r.degraded)
    out += fmt::format("Degraded: {}: {}{}\n", plain(d.component), plain(d.reason),
                       d.severity == Severity::error ? " (error)" : "");
  return out;
}

}  // namespace wigeon::cli
