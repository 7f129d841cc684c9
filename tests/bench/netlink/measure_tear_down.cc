// SPDX-License-Identifier: GPL-2.0-or-later
// On SMP kernels a WireGuard link is deleted at about 20 ms for each peer it still has;
// `wigeon down` clears the peers first. A kernel with one CPU shows nothing of it.
#include <fmt/format.h>
#include <unistd.h>

#include "tests/bench/netlink/agent.hh"
#include "tests/bench/netlink/device.hh"
#include "tests/bench/netlink/measures.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {
namespace {

Result<Agent> agent_with(uint32_t n) {
  auto agent = TRY(Agent::make());
  TRY(agent.prepare({.n = n}));
  TRY(agent.publish());
  TRY(agent.start());
  TRY(agent.quiet_cpu());
  return agent;
}

Result<double> down(Agent& agent) {
  return timed([&] { return agent.cli({"down"}); });
}

}  // namespace

Result<void> measure_tear_down(const Sizes& sizes, Report& to) {
  const auto left = peers(sizes.left);
  auto agent = TRY(agent_with(sizes.left));
  const std::vector<Contender> contenders{
      {"wigeon down",
       [&]() -> Result<double> {
         TRY(agent.up());
         TRY(agent.quiet_cpu());
         return down(agent);
       }},
      {"ip link del",
       [&]() -> Result<double> {
         const auto device = TRY(Device::make("left", Identity::set, left));
         return timed([&] { return run({"ip", "link", "del", device.name()}); });
       }},
  };
  const auto series = TRY(alternate(sizes.quick_rounds + 2, contenders));
  to.add(fmt::format("A link with {} peers deleted", sizes.left), series);
  TRY(agent.finish());

  auto large = TRY(agent_with(sizes.many));
  const double all = TRY(down(large));
  to.add(fmt::format("A link with {} peers deleted", sizes.many), "wigeon down",
         Unit::seconds, all);
  if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) {
    to.remark("W6: this kernel has one CPU; see the measure taken with --smp 2");
    return {};
  }
  to.goal("W6", fmt::format("wigeon down ÷ ip link del, {} peers", sizes.left), series[0],
          series[1], 0.03);
  to.goal({.id = "W6",
           .what = fmt::format("wigeon down with {} peers", sizes.many),
           .unit = Unit::seconds,
           .measured = all,
           .at_most = 2});
  return {};
}

}  // namespace wigeon::bench
