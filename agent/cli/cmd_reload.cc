// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/options.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{10};

}  // namespace

void add_reload(CLI::App& root, Run& chosen) {
  auto* command = root.add_subcommand(
      "reload", "Read settings and network map again, as SIGHUP does");
  command->footer("Example:\n  wigeon reload");
  command->callback([&chosen] {
    chosen = [](const Session& session) -> Output {
      const auto answer = ask(session, deadline_in(kTimeout), "reload");
      if (!answer) return failed(answer.error());
      return {.out = "Reloaded\n"};
    };
  });
}

}  // namespace wigeon::cli
