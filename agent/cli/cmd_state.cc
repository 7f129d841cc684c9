// SPDX-License-Identifier: GPL-2.0-or-later
// What a daemon that is no more has left on the host. The work is the daemon's program's
// (agent/daemon/clean.hh): it has the privilege and knows the kernel.
#include <fmt/format.h>

#include "agent/cli/command.hh"
#include "agent/cli/options.hh"
#include "agent/cli/print.hh"
#include "agent/cli/wigeond_program.hh"
#include "agent/model/json.hh"

namespace wigeon::cli {
namespace {

struct Asked {
  bool json = false;
  bool all = false;
  std::string name{};
  std::string config{};
};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> list;
  for (size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    list.push_back(plain(std::string_view(text).substr(at, end - at)));
    at = end + 1;
  }
  return list;
}

struct Stored {
  std::string name{};
  std::vector<std::string> entries{};
};

// From "NAME DETAIL" lines, sorted by name.
std::vector<Stored> stored(const std::string& text) {
  std::vector<Stored> states;
  for (const auto& line : lines(text)) {
    const auto space = std::min(line.find(' '), line.size());
    const auto name = line.substr(0, space);
    if (states.empty() || states.back().name != name) states.push_back({name});
    states.back().entries.push_back(line.substr(std::min(space + 1, line.size())));
  }
  return states;
}

std::string as_json(const std::vector<Stored>& states) {
  std::string out = R"({"states":[)";
  for (const auto& s : states) {
    if (&s != &states.front()) out += ',';
    out += R"({"name":)" + json::quote(s.name) + R"(,"entries":[)";
    for (const auto& e : s.entries)
      out += (&e == &s.entries.front() ? "" : ",") + json::quote(e);
    out += "]}";
  }
  return out + "]}\n";
}

std::vector<std::string> arguments(const Asked& asked, std::vector<std::string> task) {
  if (!asked.config.empty()) task.insert(task.end(), {"--config", asked.config});
  return task;
}

Output list(const Asked& asked) {
  const auto said = run_wigeond(arguments(asked, {"--list-state"}));
  if (!said) return failed(said.error());
  const auto states = stored(said->out);
  if (asked.json) return {.out = as_json(states)};
  std::string out = "\nStored states:\n\n";
  for (const auto& s : states) out += "- " + s.name + "\n";
  return {.out = std::move(out)};
}

// "Successfully cleaned 2 states": those that went, not those that are left.
Output change(const Asked& asked, const std::string& option, std::string_view done) {
  if (asked.all && !asked.name.empty())
    return failed({Code::usage, "cannot specify both --all flag and state name"});
  if (done == "deleted" && !asked.all && asked.name.empty())
    return failed({Code::usage, "must specify either a state name or use --all flag"});
  const auto said =
      run_wigeond(arguments(asked, {option, asked.name.empty() ? "all" : asked.name}));
  if (!said) return failed(said.error());
  Output output;
  if (!said->note.empty()) output.err = "Note: " + plain(said->note) + "\n";
  const auto names = lines(said->out);
  if (names.empty())
    output.out = fmt::format("No states were {}\n", done);
  else if (asked.name.empty())
    output.out = fmt::format("Successfully {} {} states\n", done, names.size());
  else
    output.out = fmt::format("Successfully {} state \"{}\"\n", done, names.front());
  return output;
}

CLI::App* add(CLI::App& state, const std::shared_ptr<Asked>& asked,
              const std::string& name, const std::string& what) {
  auto* command = state.add_subcommand(name, what);
  command
      ->add_option("--config", asked->config,
                   "The daemon's settings, which say where its state is\n"
                   "(/etc/wigeon/config.json; the environment is not asked)")
      ->type_name("FILE");
  return command;
}

void add_change(CLI::App& state, Run& chosen, const std::string& name,
                const std::string& option, std::string_view done, const std::string& what,
                const std::string& footer) {
  const auto asked = std::make_shared<Asked>();
  auto* command = add(state, asked, name, what);
  command->add_option("NAME", asked->name, "One state, as `wigeon state list` names it");
  command->add_flag("-a,--all", asked->all, "All of them");
  command->footer(footer);
  command->callback([&chosen, asked, option, done] {
    chosen = [asked, option, done](const Session&) {
      return change(*asked, option, done);
    };
  });
}

}  // namespace

void add_state(CLI::App& root, Run& chosen) {
  auto* state = root.add_subcommand(
      "state", "Repair the host after a crash; needs no daemon and takes root");
  state->require_subcommand(1);
  state->footer("Example:\n  wigeon state list\n  wigeon state clean --all");

  const auto asked = std::make_shared<Asked>();
  auto* command = add(*state, asked, "list", "What of ours is still on the host");
  command->add_flag("--json", asked->json, "As JSON, with every entry of each state");
  command->footer("Example:\n  wigeon state list --json");
  command->callback(
      [&chosen, asked] { chosen = [asked](const Session&) { return list(*asked); }; });
  add_change(*state, chosen, "clean", "--clean-state", "cleaned",
             "Take it off the host: one state, or all (also without a name)",
             "Example:\n  wigeon state clean --all\n  wigeon state clean link_state");
  add_change(
      *state, chosen, "delete", "--delete-state", "deleted",
      "Forget the record and leave the host as it is",
      "map_state (the last good map), routeselector_state (networks selected) and\n"
      "daemon_state (up or down) can be forgotten too; --all takes them along.\n\n"
      "Example:\n  wigeon state delete rule_state");
}

}  // namespace wigeon::cli
