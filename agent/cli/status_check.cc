// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/status_check.hh"

#include "agent/cli/print.hh"

namespace wigeon::cli {
namespace {

std::string why_no_map(const StatusReport& report) {
  if (!report.map.error.empty()) return "the map is refused: " + plain(report.map.error);
  return report.map.source.empty() ? "no map is loaded" : "the map is not in force yet";
}

std::optional<std::string> not_ready(const StatusReport& report) {
  if (report.daemon_status != DaemonStatus::connected)
    return "daemon status is " + std::string(wigeon::text(report.daemon_status)) + ": " +
           why_no_map(report);
  for (const auto& d : report.degraded)
    if (d.severity == Severity::error) return plain(d.component) + ": " + plain(d.reason);
  return std::nullopt;
}

}  // namespace

Outcome<Check> parse_check(const std::string& name) {
  for (const Check check : {Check::live, Check::ready, Check::startup})
    if (name == text(check)) return check;
  return std::unexpected(
      Failure{Code::usage,
              "unknown check \"" + name + "\", must be one of: live, ready, startup"});
}

std::string_view text(Check check) {
  switch (check) {
    case Check::live:
      return "live";
    case Check::ready:
      return "ready";
    case Check::startup:
      return "startup";
  }
  return "";
}

std::optional<std::string> failing(Check check, const StatusReport& report) {
  switch (check) {
    case Check::live:
      return std::nullopt;
    case Check::ready:
      return not_ready(report);
    case Check::startup:
      if (report.map.applied_at == kNever) return why_no_map(report);
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace wigeon::cli
