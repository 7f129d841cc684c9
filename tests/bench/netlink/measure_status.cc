// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon spends on one `wigeon status`, text and JSON, against reading all of
// the device.
#include <fmt/format.h>

#include "tests/bench/netlink/agent.hh"
#include "tests/bench/netlink/device.hh"
#include "tests/bench/netlink/measures.hh"

namespace wigeon::bench {

Result<void> measure_status(const Sizes& sizes, Report& to) {
  auto agent = TRY(Agent::make());
  TRY(agent.prepare({.n = sizes.many}));
  TRY(agent.publish());
  TRY(agent.start());
  const int link = static_cast<int>(TRY(link_named(kAgentLink)));
  auto raw = TRY(Raw::open());
  TRY(agent.quiet_cpu());

  const auto cost = [&](const Arguments& command) -> Result<double> {
    const double before = TRY(cpu_seconds(agent.pid()));
    TRY(agent.cli(command));
    return TRY(cpu_seconds(agent.pid())) - before;
  };
  const std::vector<Contender> contenders{
      {"wigeon status -d, the daemon's CPU",
       [&] {
         return cost({"status", "-d"});
       }},
      {"wigeon status --json, the daemon's CPU",
       [&] {
         return cost({"status", "--json"});
       }},
      {"wigeon status --json, wall",
       [&] { return timed([&] {
               return agent.cli({"status", "--json"});
             }); }},
      {"raw dump",
       [&] { return timed([&] { return checked("dump", raw_dump(raw.get(), link)); }); }},
      {"wg show dump",
       [&] { return timed([&] {
               return run({"wg", "show", kAgentLink, "dump"});
             }); }},
  };
  const auto series = TRY(alternate(sizes.rounds, contenders));
  to.add(fmt::format("Status of {} peers", sizes.many), series);
  to.goal("W7", "status -d ÷ raw dump", series[0], series[3], 1.6);
  to.goal("W7", "status --json ÷ raw dump", series[1], series[3], 1.6);
  to.goal("W7", "status -d ÷ wg show dump", series[0], series[4], 0.2);
  to.goal("W7", "status --json ÷ wg show dump", series[1], series[4], 0.2);
  return agent.finish();
}

}  // namespace wigeon::bench
