// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/options.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{10};

Output daemon_version(const Session& session) {
  const auto result = ask(session, deadline_in(kTimeout), "version", decode_version);
  if (!result) return failed(result.error());
  return {.out = result->version + "\n"};
}

}  // namespace

void add_version(CLI::App& root, Run& chosen) {
  auto* command = root.add_subcommand("version", "Print the version");
  const auto daemon = std::make_shared<bool>(false);
  command->add_flag("--daemon", *daemon, "Of the running daemon instead of this program");
  command->footer("Examples:\n  wigeon version\n  wigeon version --daemon");
  command->callback([&chosen, daemon] {
    chosen = [daemon](const Session& session) -> Output {
      if (*daemon) return daemon_version(session);
      return {.out = WIGEON_VERSION "\n"};
    };
  });
}

}  // namespace wigeon::cli
