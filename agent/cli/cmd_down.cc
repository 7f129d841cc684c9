// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/options.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{60};

}  // namespace

void add_down(CLI::App& root, Run& chosen) {
  auto* command = root.add_subcommand(
      "down", "Take the network down and leave nothing of it on the host");
  const auto timeout = std::make_shared<std::string>();
  add_timeout(*command, *timeout, "Give up after this long (60s)");
  command->footer("Example:\n  wigeon down");
  command->callback([&chosen, timeout] {
    chosen = [timeout](const Session& session) -> Output {
      const auto answer =
          ask(session, deadline_in(timeout_or(*timeout, kTimeout)), "down");
      if (!answer) return failed(answer.error());
      return {.out = "Disconnected\n"};
    };
  });
}

}  // namespace wigeon::cli
