// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/other_tunnels.hh"

#include <linux/fib_rules.h>

#include <algorithm>

namespace wigeon {
namespace {

// Chooses by nothing but the mark.
bool is_for_all(const Rule& r) {
  return !r.from && !r.to && r.input.empty() && r.output.empty() && r.ip_protocol == 0 &&
         !r.source_ports && !r.destination_ports && !r.l3mdev &&
         r.action == FR_ACT_TO_TBL && !r.suppress_prefix_length;
}

bool is_special(uint32_t table) {
  return table == RT_TABLE_UNSPEC || table == RT_TABLE_LOCAL || table == RT_TABLE_MAIN ||
         table == RT_TABLE_DEFAULT;
}

void add_family(const std::vector<Rule>& rules, Family family,
                std::vector<OtherTunnel>& all) {
  const Rule* past = nullptr;  // the last one that sends marked packets to main
  for (const auto& r : rules) {
    if (r.family != family || !is_for_all(r)) continue;
    if (r.mark && !r.invert && r.table == RT_TABLE_MAIN) past = &r;
    if (is_special(r.table) || all.size() >= kMaxOtherTunnels) continue;
    const bool inverted = r.invert && r.mark;
    const Rule* marked = inverted ? &r : !r.mark && !r.invert ? past : nullptr;
    // A mark of no bits at all would be every packet.
    if (!marked || marked->mark_mask == 0 || *marked->mark == 0) continue;
    all.push_back({.family = family,
                   .priority = r.priority,
                   .table = r.table,
                   .mark = *marked->mark,
                   .mark_mask = marked->mark_mask,
                   .inverted = inverted});
  }
}

}  // namespace

std::vector<OtherTunnel> other_tunnels(const std::vector<Rule>& rules) {
  std::vector<OtherTunnel> all;
  for (const auto family : {Family::v4, Family::v6}) add_family(rules, family, all);
  return all;
}

}  // namespace wigeon
