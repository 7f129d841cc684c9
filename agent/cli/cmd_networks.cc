// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/options.hh"
#include "agent/cli/print.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{10};

// In NetBird's words.
std::string text(const NetworkItem& n) {
  const std::string status = n.selected ? "Selected" : "Not Selected";
  if (n.domains.empty())
    return fmt::format("\n  - ID: {}\n    Network: {}\n    Status: {}\n", plain(n.id),
                       plain(joined(n.networks)), status);
  std::string out = fmt::format("\n  - ID: {}\n    Domains: {}\n    Status: {}\n",
                                plain(n.id), plain(joined(n.domains)), status);
  if (n.resolved.empty()) return out + "    Resolved IPs: -\n";
  out += "    Resolved IPs:\n";
  for (const auto& [domain, addresses] : n.resolved)
    out += fmt::format("      [{}]: {}\n", plain(domain), plain(joined(addresses)));
  return out;
}

Output list(const Session& session, bool as_json) {
  const auto result =
      ask(session, deadline_in(kTimeout), "networks_list", decode_networks_list);
  if (!result) return failed(result.error());
  if (as_json) return {.out = encode(*result) + "\n"};
  if (result->networks.empty()) return {.out = "No networks available.\n"};
  std::string out = "Available Networks:\n";
  for (const auto& n : result->networks) out += text(n);
  return {.out = std::move(out)};
}

struct Choice {
  std::vector<std::string> ids{};
  bool append = false;
};

Output change(const Session& session, std::string method, const Choice& choice,
              std::string_view done) {
  NetworksParams params{.all = choice.ids == std::vector<std::string>{"all"}};
  if (!params.all) {
    params.ids = choice.ids;
    params.append = choice.append;
  }
  const auto answer =
      ask(session, deadline_in(kTimeout), std::move(method), encode(params));
  if (!answer) return failed(answer.error());
  return {.out = fmt::format("Networks {} successfully.\n", done)};
}

}  // namespace

void add_networks(CLI::App& root, Run& chosen) {
  auto* networks =
      root.add_subcommand("networks", "Choose the networks behind routing peers");
  networks->alias("routes");
  networks->require_subcommand(1);
  networks->footer("Example:\n  wigeon networks list");

  auto* listing = networks->add_subcommand("list", "List the networks of the map");
  listing->alias("ls");
  listing->footer("Example:\n  wigeon networks list");
  add_json(*listing, chosen, list);

  const auto select = std::make_shared<Choice>();
  auto* selecting = networks->add_subcommand(
      "select", "Use these networks and no others, or all, also new ones");
  selecting->add_option("ID", select->ids, "Networks, or all")->required();
  selecting->add_flag("-a,--append", select->append,
                      "Besides what is selected, not instead of it");
  selecting->footer(
      "Examples:\n  wigeon networks select all\n  wigeon networks select -a office");
  selecting->callback([&chosen, select] {
    chosen = [select](const Session& session) {
      return change(session, "networks_select", *select, "selected");
    };
  });

  const auto deselect = std::make_shared<Choice>();
  auto* deselecting = networks->add_subcommand(
      "deselect", "Do not use these networks, or none at all, also no new ones");
  deselecting->add_option("ID", deselect->ids, "Networks, or all")->required();
  deselecting->footer("Example:\n  wigeon networks deselect office");
  deselecting->callback([&chosen, deselect] {
    chosen = [deselect](const Session& session) {
      return change(session, "networks_deselect", *deselect, "deselected");
    };
  });
}

}  // namespace wigeon::cli
