// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/options.hh"
#include "agent/cli/print.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{10};

std::string walk_text(const RedirectWalk& w) {
  std::string out = fmt::format("{} {}\n", plain(w.transport), plain(w.server));
  for (const auto& s : w.steps)
    out += fmt::format("  {:<9} {}{}\n", plain(s.step), s.failed ? "FAILED: " : "",
                       plain(s.detail));
  return out;
}

Output redirect(const Session& session, bool as_json) {
  const auto result =
      ask(session, deadline_in(kTimeout), "debug_redirect", decode_redirect);
  if (!result) return failed(result.error());
  const bool ok = std::ranges::none_of(result->walks, [](const RedirectWalk& w) {
    return w.steps.empty() || w.steps.back().failed;
  });
  Output output{.exit = ok ? 0 : exit_code(Code::degraded)};
  if (as_json) {
    output.out = encode(*result) + "\n";
    return output;
  }
  for (const auto& w : result->walks) output.out += walk_text(w);
  return output;
}

}  // namespace

void add_debug_redirect(CLI::App& debug, Run& chosen) {
  auto* command =
      debug.add_subcommand("redirect", "Follow a query for port 53 to our resolver");
  command->footer(
      "Example:\n  wigeon debug redirect\n\nExit codes: 0 all were answered, 6 not.");
  add_json(*command, chosen, redirect);
}

}  // namespace wigeon::cli
