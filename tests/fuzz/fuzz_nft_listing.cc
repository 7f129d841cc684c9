// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as nft's JSON: what comes of it is bounded, our own table is never in it, and
// after what the plan adds nothing is left to add.
#include <cstdlib>

#include "agent/model/foreign_firewall.hh"

using namespace wigeon;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto require = [](bool good) {
    if (!good) std::abort();
  };
  const auto rules = read_our_rules(text);
  const auto chains = read_chains(text);
  if (!chains || !rules) return 0;
  require(chains->dropping.size() <= kMaxDroppingChains);
  for (const auto& c : chains->dropping)
    require(!(c.family == "inet" && c.table == "wigeon"));
  const auto plan = foreign_plan(*chains, *rules, "wt0", IntoOverlay::nobody);
  auto present = *rules;
  for (const auto& r : plan.remove) std::erase(present, r);
  for (const auto& r : plan.add)
    present.push_back({{r.family, r.table, r.chain}, 1, r.comment});
  const auto again = foreign_plan(*chains, present, "wt0", IntoOverlay::nobody);
  require(again.add.empty() && again.remove.empty());
  return 0;
}
