// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <thread>

#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/options.hh"
#include "agent/cli/print.hh"
#include "agent/cli/status_check.hh"
#include "agent/cli/status_filter.hh"
#include "agent/cli/status_text.hh"
#include "agent/control/time_text.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{10};
constexpr std::chrono::seconds kWaitTimeout{60};
constexpr std::chrono::milliseconds kPollInterval{200};

struct Options {
  bool detail = false, json = false, yaml = false, ipv4 = false, ipv6 = false;
  std::vector<std::string> ips{}, names{};
  std::string state{}, connection{};
  std::string check{};
  bool wait = false;
  std::string timeout{};
};

// Asks again until the check passes. A daemon that is not there yet is waited for, too.
Outcome<StatusReport> wait_for(Check check, const Session& session,
                               std::chrono::milliseconds timeout) {
  const auto deadline = deadline_in(timeout);
  for (;;) {
    auto report = ask_status(session, deadline);
    std::string why;
    if (report) {
      const auto reason = failing(check, *report);
      if (!reason) return report;
      why = *reason;
    } else if (report.error().code == Code::not_running ||
               report.error().code == Code::busy ||
               report.error().code == Code::timeout) {
      why = report.error().message;
    } else {
      return report;
    }
    if (Client::Clock::now() + kPollInterval >= deadline)
      return std::unexpected(Failure{Code::timeout, "not " + std::string(text(check)) +
                                                        " after " + go_duration(timeout) +
                                                        ": " + why});
    std::this_thread::sleep_for(kPollInterval);
  }
}

// One line for probes, whose logs show it: the advice in the lines behind is for people.
Failure on_one_line(Failure failure) {
  failure.message.resize(std::min(failure.message.find('\n'), failure.message.size()));
  return failure;
}

std::string address_line(const std::optional<InterfaceAddress>& address) {
  return address ? address->address.text() + "\n" : "";
}

std::string render(const Options& o, bool filtered, const Session& session,
                   const StatusReport& report) {
  if (o.json) return to_json(report) + "\n";
  if (o.yaml) return to_yaml(report);
  if (o.ipv4) return address_line(report.ip);
  if (o.ipv6) return address_line(report.ipv6);
  const auto text = o.detail || filtered ? detail_text(report, session.now())
                                         : short_text(report, session.now());
  return session.color ? paint(text) : text;
}

Output status(const Options& o, const Session& session) {
  // Not CLI11's excludes(), which fills --help with every pair.
  if (o.detail + o.json + o.yaml + o.ipv4 + o.ipv6 > 1)
    return failed(
        {Code::usage,
         "only one of --detail, --json, --yaml, --ipv4 and --ipv6 can be given"});
  const auto filter = parse_filter(o.ips, o.names, o.state, o.connection);
  if (!filter) return failed(filter.error());
  const bool checking = !o.check.empty();
  const auto check = parse_check(checking ? o.check : "ready");
  if (!check) return failed(check.error());

  auto report = o.wait
                    ? wait_for(*check, session, timeout_or(o.timeout, kWaitTimeout))
                    : ask_status(session, deadline_in(timeout_or(o.timeout, kTimeout)));
  if (!report) return failed(checking ? on_one_line(report.error()) : report.error());
  if (checking) {
    if (const auto why = failing(*check, *report))
      return failed({Code::degraded, o.check + " check failed: " + *why});
    return {};
  }
  apply(*filter, report->peers);
  return {.out = render(o, !filter->empty(), session, *report)};
}

void add_forms(CLI::App& command, Options& o) {
  command.add_flag("-d,--detail", o.detail, "Peers and events, too");
  command.add_flag("-j,--json", o.json, "As JSON");
  command.add_flag("-y,--yaml", o.yaml, "As YAML");
  command.add_flag("-4,--ipv4", o.ipv4, "Only this host's IPv4 address");
  command.add_flag("-6,--ipv6", o.ipv6, "Only this host's IPv6 address");
}

void add_filters(CLI::App& command, Options& o) {
  command
      .add_option("-I,--filter-by-ips", o.ips, "Only peers with one of these addresses")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("IP");
  command
      .add_option("-N,--filter-by-names", o.names,
                  "Only peers whose name begins with one of these")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME");
  command.add_option("-S,--filter-by-status", o.state, "connected, connecting or idle")
      ->type_name("STATUS");
  command.add_option("-T,--filter-by-connection-type", o.connection, "P2P or Relayed")
      ->type_name("TYPE");
}

}  // namespace

void add_status(CLI::App& root, Run& chosen) {
  auto* command = root.add_subcommand("status", "Show the network as this host has it");
  const auto options = std::make_shared<Options>();
  add_forms(*command, *options);
  add_filters(*command, *options);
  command
      ->add_option("-C,--check", options->check,
                   "Exit 0 or 6 instead: live, ready or startup")
      ->type_name("CHECK");
  command->add_flag("--wait", options->wait, "Wait until the check passes (ready)");
  add_timeout(*command, options->timeout,
              "Give up after this long (10s; 60s with --wait)");
  command->footer(
      "Examples:\n  wigeon status -d\n"
      "  wigeon status --json | jq .peers.connected\n"
      "  wigeon status --filter-by-names web -S connected\n"
      "  wigeon status --check ready --wait --timeout 30s");
  command->callback([&chosen, options] {
    chosen = [options](const Session& session) { return status(*options, session); };
  });
}

}  // namespace wigeon::cli
