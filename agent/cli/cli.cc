// SPDX-License-Identifier: GPL-2.0-or-later
// The one place where CLI11 throws and is caught.
#include "agent/cli/cli.hh"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <sstream>

#include "agent/cli/command.hh"
#include "agent/cli/suggest.hh"
#include "agent/control/client.hh"

namespace wigeon::cli {
namespace {

// In the order of --help.
constexpr std::array kCommands{add_up,      add_down,     add_reload,     add_status,
                               add_version, add_networks, add_forwarding, add_dns,
                               add_config,  add_map,      add_state,      add_debug};

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.variables.find(name);
  return found == environment.variables.end() ? "" : found->second;
}

std::string default_address(const Environment& environment) {
  for (const char* name : {"WIGEON_DAEMON_ADDR", "NB_DAEMON_ADDR"})
    if (auto value = variable(environment, name); !value.empty()) return value;
  return std::string(kDefaultDaemonAddress);
}

// The subcommand the arguments led to, and its full name.
struct Place {
  CLI::App* app;
  std::string name;
};

Place deepest(CLI::App& root) {
  Place place{&root, root.get_name()};
  for (auto subs = place.app->get_subcommands(); !subs.empty();
       subs = place.app->get_subcommands()) {
    place.app = subs.back();
    place.name += " " + place.app->get_name();
  }
  return place;
}

std::vector<std::string> flags(CLI::App& root, CLI::App& at) {
  std::vector<std::string> names;
  for (CLI::App* app : {&at, &root})
    for (const CLI::Option* option : app->get_options())
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string unknown(CLI::App& root, const Place& place, std::string arg) {
  std::vector<std::string> candidates;
  std::string what;
  if (arg.starts_with('-')) {
    arg = arg.substr(0, arg.find('='));
    what = "unknown flag " + arg;
    candidates = flags(root, *place.app);
  } else {
    for (const auto* sub : place.app->get_subcommands([](auto*) { return true; }))
      candidates.push_back(sub->get_name());
    what = candidates.empty() ? "unexpected argument \"" + arg + "\""
                              : "unknown command \"" + arg + "\"";
  }
  what += " for \"" + place.name + "\"";
  if (const auto guess = suggest(arg, candidates))
    what += "\nDid you mean " + *guess + "?";
  return what;
}

Output usage(CLI::App& root, const CLI::ParseError& error) {
  const Place place = deepest(root);
  const auto rest = root.remaining(true);
  const bool is_group = !place.app->get_subcommands([](auto*) { return true; }).empty();
  if (rest.empty() && is_group && error.get_name() == "RequiredError")
    return failed({Code::usage, "a command is required\n\n" + place.app->help()});
  const auto what =
      rest.empty() ? std::string(error.what()) : unknown(root, place, rest.front());
  return failed({Code::usage, what + "\nRun '" + place.name + " --help' for usage."});
}

Output parse(std::vector<std::string> args, const Environment& environment,
             Session& session, Run& chosen) {
  CLI::App root("Wigeon: a WireGuard network from one map", "wigeon");
  session.daemon_address = default_address(environment);
  bool no_color = false;
  root.add_option("--daemon-addr", session.daemon_address,
                  "Where the daemon listens, also from WIGEON_DAEMON_ADDR or "
                  "NB_DAEMON_ADDR (" +
                      std::string(kDefaultDaemonAddress) + ")")
      ->type_name("ADDRESS");
  root.add_flag("--no-color", no_color,
                "No colours, also on a terminal (or set NO_COLOR)");
  root.set_version_flag("--version", WIGEON_VERSION);
  root.require_subcommand(1);
  root.fallthrough();
  root.footer(
      "Examples:\n  wigeon up --wait\n  wigeon status -d\n\n"
      "Exit codes: 0 ok, 1 error, 2 usage, 3 daemon not running, 4 not permitted,\n"
      "5 timeout, 6 degraded or check failed, 7 invalid config, 10 not found.");
  try {
    for (const auto add : kCommands) add(root, chosen);
    std::ranges::reverse(args);  // as CLI11 wants them
    root.parse(args);
  } catch (const CLI::Success& request) {  // --help, --version
    std::ostringstream out, err;
    root.exit(request, out, err);
    chosen = nullptr;
    return {.out = out.str()};
  } catch (const CLI::ParseError& error) {
    chosen = nullptr;
    return usage(root, error);
  } catch (const CLI::Error& error) {  // two options of one name: our mistake
    chosen = nullptr;
    return failed({Code::error, error.what()});
  }
  session.color = environment.terminal && !no_color &&
                  variable(environment, "NO_COLOR").empty() &&
                  variable(environment, "TERM") != "dumb";
  session.now = environment.now;
  return {};
}

}  // namespace

Output run(std::vector<std::string> args, const Environment& environment) {
  Session session;
  Run chosen;
  Output parsed = parse(std::move(args), environment, session, chosen);
  return chosen ? chosen(session) : parsed;
}

}  // namespace wigeon::cli
