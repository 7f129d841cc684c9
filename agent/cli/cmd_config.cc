// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/check.hh"
#include "agent/cli/command.hh"
#include "agent/cli/options.hh"

namespace wigeon::cli {
namespace {

using Judge = Output (*)(const std::vector<std::string>&);

CLI::App* add(CLI::App& config, Run& chosen, const std::string& name, Judge judge,
              const std::string& what) {
  auto* command = config.add_subcommand(name, what);
  const auto files = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", *files,
                      "Merged in this order (/etc/wigeon/config.json, config.d/*.json)");
  command->callback([&chosen, files, judge] {
    chosen = [files, judge](const Session&) { return judge(*files); };
  });
  return command;
}

}  // namespace

void add_config(CLI::App& root, Run& chosen) {
  auto* config =
      root.add_subcommand("config", "Judge and show settings; needs no daemon");
  config->require_subcommand(1);
  config->footer("Example:\n  wigeon config check /etc/wigeon/config.json");
  add(*config, chosen, "check", check_config,
      "List everything that is wrong with settings")
      ->footer("Example:\n  wigeon config check config.json config.d/10-site.json");
  add(*config, chosen, "show", show_config, "Print the settings that files amount to")
      ->footer("Example:\n  wigeon config show");
}

}  // namespace wigeon::cli
