// SPDX-License-Identifier: GPL-2.0-or-later
// What a command file is made of: a function that declares one subcommand and says what
// to run when it was chosen.
#pragma once

#include <functional>
#include <string>

#include "agent/cli/cli.hh"

namespace CLI {
class App;
}

namespace wigeon::cli {

struct Session {
  std::string daemon_address{};
  bool color = false;
  std::function<WallTime()> now{};
};

using Run = std::function<Output(const Session&)>;

// Each sets `chosen` from the subcommand's callback. CLI11 may throw from these; cli.cc,
// their only caller, catches.
void add_up(CLI::App& root, Run& chosen);
void add_down(CLI::App& root, Run& chosen);
void add_reload(CLI::App& root, Run& chosen);
void add_status(CLI::App& root, Run& chosen);
void add_version(CLI::App& root, Run& chosen);
void add_networks(CLI::App& root, Run& chosen);
void add_forwarding(CLI::App& root, Run& chosen);
void add_dns(CLI::App& root, Run& chosen);
void add_config(CLI::App& root, Run& chosen);
void add_map(CLI::App& root, Run& chosen);
void add_debug(CLI::App& root, Run& chosen);
void add_debug_redirect(CLI::App& debug, Run& chosen);
void add_state(CLI::App& root, Run& chosen);

}  // namespace wigeon::cli
