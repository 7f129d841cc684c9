// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/check.hh"
#include "agent/cli/command.hh"
#include "agent/cli/options.hh"

namespace wigeon::cli {
namespace {

struct Options {
  std::string file{};
  std::string config{};
};

}  // namespace

void add_map(CLI::App& root, Run& chosen) {
  auto* map = root.add_subcommand("map", "Judge network maps; needs no daemon");
  map->require_subcommand(1);
  map->footer("Example:\n  wigeon map check network_map.json");
  auto* check = map->add_subcommand("check", "List everything that is wrong with a map");
  const auto options = std::make_shared<Options>();
  check->add_option("FILE", options->file, "The map")->required();
  check->add_option("--config", options->config, "Judge it under these settings")
      ->type_name("FILE");
  check->footer("Example:\n  wigeon map check network_map.json --config config.json");
  check->callback([&chosen, options] {
    chosen = [options](const Session&) {
      const auto& config = options->config;
      return check_map(options->file,
                       config.empty() ? std::nullopt : std::optional(config));
    };
  });
}

}  // namespace wigeon::cli
