// SPDX-License-Identifier: GPL-2.0-or-later
// Own names over UDP and TCP.
#include <fmt/format.h>

#include "dns/message.hh"
#include "tests/bench/dns/measures.hh"

namespace wigeon::bench {
namespace {

double limit_for(size_t names) {
  return names <= 100 ? 1.05 : names <= 10'000 ? 1.08 : 1.12;
}

std::vector<Kind> without(std::string_view name) {
  auto kinds = local_kinds();
  std::erase_if(kinds, [&](const Kind& k) { return k.name == name; });
  return kinds;
}

}  // namespace

Result<void> measure_local(const Effort& effort, Report& report) {
  std::vector<Series> ours;
  for (const size_t names : effort.names) {
    auto field = TRY(Field::gather(without("techo"), names, {}, report));
    TRY(field.compete(effort, random_peers(names), {}, false, report));
    field.tell(fmt::format("{} names", names), report);
    ratio_goal(report, field, "D1", fmt::format("ours / echo, {} names", names), "echo",
               limit_for(names));
    ours.push_back(field.cpu("wigeon"));
    if (names != 10'000) continue;
    ratio_goal(report, field, "D2", "ours / knot, 10000 names", "knotd", 0.82);
    ratio_goal(report, field, "D2", "ours / dnsmasq, 10000 names", "dnsmasq", 0.55);
    TRY(field.compete(effort, missing_peers(names),
                      {.rcode = wigeon::dns::rcode::kNxDomain}, false, report));
    field.tell(fmt::format("{} names, NXDOMAIN", names), report);
    ratio_goal(report, field, "D1", "ours / echo, NXDOMAIN, 10000 names", "echo",
               limit_for(names));
  }
  // Minutes lie between the two, so this is weaker than the others.
  if (ours.size() > 1)
    report.goal("D3",
                fmt::format("ours, {} / {} names", effort.names.back(), effort.names[0]),
                ours.back(), ours.front(), 1.08);
  return {};
}

Result<void> measure_tcp(const Effort& effort, Report& report) {
  constexpr size_t kNames = 10'000;
  std::vector<Kind> kinds;
  for (const auto& k : local_kinds())
    if (k.serves_tcp) kinds.push_back(k);
  auto field = TRY(Field::gather(kinds, kNames, {}, report));
  TRY(field.compete(effort, random_peers(kNames), {.sockets = 4, .window = 100}, true,
                    report));
  field.tell("10000 names, TCP", report);
  ratio_goal(report, field, "D5", "ours / techo, TCP", "techo", 1.25);
  ratio_goal(report, field, "D5", "ours / knot, TCP", "knotd", 0.45);
  ratio_goal(report, field, "D5", "ours / unbound, TCP", "unbound", 0.25);
  return {};
}

}  // namespace wigeon::bench
