// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "agent/base/file.hh"
#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/options.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{60};
constexpr std::chrono::seconds kStarting{10};  // a daemon that was just started

struct Options {
  bool wait = false;
  bool force = false;
  std::string timeout{};
  std::string map{};
};

// Opened here, with the rights of who typed it: the daemon opens no path of a client.
Outcome<std::string> read_map(const std::string& path) {
  auto bytes = read_file(path, kMaxMapInRequest);
  if (bytes) return *std::move(bytes);
  return std::unexpected(
      Failure{bytes.error().code == ENOENT ? Code::not_found : Code::error,
              path + ": " + bytes.error().what});
}

Output up(const Options& options, const Session& session) {
  UpParams params{.wait = options.wait, .force = options.force};
  if (!options.map.empty()) {
    auto map = read_map(options.map);
    if (!map) return failed(map.error());
    params.map = *std::move(map);
  }
  const auto deadline = deadline_in(timeout_or(options.timeout, kTimeout));
  if (options.wait) wait_for_daemon(session, std::min(deadline, deadline_in(kStarting)));
  const auto result = ask(session, deadline, "up", decode_change, encode(params));
  if (!result) return failed(result.error());
  return {.out = result->already ? "Already connected\n" : "Connected\n"};
}

}  // namespace

void add_up(CLI::App& root, Run& chosen) {
  auto* command = root.add_subcommand("up", "Bring the network up");
  const auto options = std::make_shared<Options>();
  command->add_flag("--wait", options->wait, "Return when the map is in force");
  add_timeout(*command, options->timeout, "Give up after this long (60s)");
  command
      ->add_option("--map", options->map, "Use this map instead of the source's (root)")
      ->type_name("FILE");
  command->add_flag("--force", options->force,
                    "Take a map whose serial is lower than the one in force (root)");
  command->footer(
      "Examples:\n  wigeon up --wait --timeout 30s\n"
      "  wigeon up --map network_map.json --force");
  command->callback([&chosen, options] {
    chosen = [options](const Session& session) { return up(*options, session); };
  });
}

}  // namespace wigeon::cli
