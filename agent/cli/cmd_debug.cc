// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/log.hh"
#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/options.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{10};

Output set_level(const std::string& level, const Session& session) {
  if (const auto known = log::parse_level(level); !known)
    return failed({Code::usage, "log level " + known.error().what + ", got: " + level});
  const auto answer =
      ask(session, deadline_in(kTimeout), "log_level", encode(LogLevelParams{level}));
  if (!answer) return failed(answer.error());
  return {.out = "Log level set successfully to " + level + "\n"};
}

}  // namespace

void add_debug(CLI::App& root, Run& chosen) {
  auto* debug = root.add_subcommand("debug", "Look into the running daemon");
  debug->require_subcommand(1);
  debug->footer("Example:\n  wigeon debug log level debug");
  add_debug_redirect(*debug, chosen);
  auto* log = debug->add_subcommand("log", "The daemon's log");
  log->require_subcommand(1);
  log->footer("Example:\n  wigeon debug log level debug");
  auto* command =
      log->add_subcommand("level", "Log more or less, until the daemon restarts");
  const auto level = std::make_shared<std::string>();
  command->add_option("LEVEL", *level, "error, warning, info, debug or trace")
      ->required();
  command->footer("Example:\n  wigeon debug log level debug");
  command->callback([&chosen, level] {
    chosen = [level](const Session& session) { return set_level(*level, session); };
  });
}

}  // namespace wigeon::cli
