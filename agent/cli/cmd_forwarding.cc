// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/options.hh"
#include "agent/cli/print.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{10};

unsigned first_port(const std::string& ports) {
  unsigned n = 0;
  std::from_chars(ports.data(), ports.data() + ports.size(), n);
  return n;
}

std::string port(const std::string& ports) {
  return ports.empty() ? "No port specified" : plain(ports);
}

// In NetBird's words and order.
std::string text(std::vector<ForwardingItem> rules) {
  std::ranges::stable_sort(rules, {}, [](const ForwardingItem& r) {
    return std::tuple(std::string_view(r.translated_address),
                      std::string_view(r.protocol), first_port(r.destination_port));
  });
  std::string out = "Available forwarding rules:\n";
  const std::string* last = nullptr;
  for (const auto& r : rules) {
    if (!last || *last != r.translated_address)
      out += fmt::format("\nTranslated peer: {}\n",
                         plain(r.translated_hostname.empty() ? r.translated_address
                                                             : r.translated_hostname));
    last = &r.translated_address;
    out += fmt::format("  Local {}/{} to {}:{}\n", plain(r.protocol),
                       port(r.destination_port), plain(r.translated_address),
                       port(r.translated_port));
  }
  return out;
}

Output list(const Session& session, bool as_json) {
  auto result = ask(session, deadline_in(kTimeout), "forwarding_list", decode_forwarding);
  if (!result) return failed(result.error());
  if (as_json) return {.out = encode(*result) + "\n"};
  if (result->rules.empty()) return {.out = "No forwarding rules available.\n"};
  return {.out = text(std::move(result->rules))};
}

}  // namespace

void add_forwarding(CLI::App& root, Run& chosen) {
  auto* forwarding =
      root.add_subcommand("forwarding", "Ports of this host that lead to peers");
  forwarding->require_subcommand(1);
  forwarding->footer("Example:\n  wigeon forwarding list");
  auto* listing =
      forwarding->add_subcommand("list", "List the forwarding rules in force");
  listing->alias("ls");
  listing->footer("Example:\n  wigeon forwarding list");
  add_json(*listing, chosen, list);
}

}  // namespace wigeon::cli
