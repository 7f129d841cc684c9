// SPDX-License-Identifier: GPL-2.0-or-later
// On SMP kernels a WireGuard link is deleted at about 20 ms for each peer it still has;
// `wigeon down` clears the peers first. A kernel with one CPU shows nothing of it. What
// the kernel takes for clearing and deleting, without a daemon, is shown beside it.
#include <fmt/format.h>
#include <unistd.h>

#include "netlink/link.hh"
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

// Up, as the daemon's link is. With a keepalive the kernel would still be at work on
// thousands of handshakes.
std::vector<raw_peer> silent(uint32_t n) {
  auto all = peers(n);
  for (auto& p : all) p.keepalive = 0;
  return all;
}

Result<double> cleared_and_deleted(std::span<const raw_peer> peers) {
  const auto device = TRY(Device::make("cleared", Identity::set, peers));
  TRY(set_up(device.link()));
  auto t = TRY(tunnel(device.link()));
  auto routes = TRY(netlink::Socket::open(netlink::Protocol::route));
  return timed([&]() -> Result<void> {
    TRY(t.set({.replace_peers = true}));
    return netlink::delete_link(routes, device.link());
  });
}

// The daemon's own part of a `down`; its programs' start and end are in the wall time.
Result<double> down_cpu(Agent& agent) {
  const double before = TRY(cpu_seconds(agent.pid()));
  TRY(down(agent));
  return TRY(cpu_seconds(agent.pid())) - before;
}

Result<void> measure_many(const Sizes& sizes, Report& to) {
  const auto all = silent(sizes.many);
  auto agent = TRY(agent_with(sizes.many));
  const auto again = [&]() -> Result<void> {
    TRY(agent.up());
    (void)TRY(agent.quiet_cpu());
    return {};
  };
  const std::vector<Contender> contenders{
      {"wigeon down",
       [&]() -> Result<double> {
         TRY(again());
         return down(agent);
       }},
      {"wigeon down, the daemon's CPU",
       [&]() -> Result<double> {
         TRY(again());
         return down_cpu(agent);
       }},
      {"the kernel: peers cleared, link deleted",
       [&] { return cleared_and_deleted(all); }},
  };
  const auto series = TRY(alternate(sizes.rounds, contenders));
  to.add(fmt::format("A link with {} peers deleted", sizes.many), series);
  to.goal({.id = "W6",
           .what = fmt::format("wigeon down with {} peers", sizes.many),
           .unit = Unit::seconds,
           .measured = median(series[0].seconds),
           .at_most = 2});
  return agent.finish();
}

}  // namespace

Result<void> measure_tear_down(const Sizes& sizes, Report& to) {
  const auto left = silent(sizes.left);
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
      {"the kernel: peers cleared, link deleted",
       [&] { return cleared_and_deleted(left); }},
  };
  const auto series = TRY(alternate(sizes.rounds, contenders));
  to.add(fmt::format("A link with {} peers deleted", sizes.left), series);
  TRY(agent.finish());
  TRY(measure_many(sizes, to));

  if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) {
    to.remark(
        "W6 ÷ ip link del: this kernel has one CPU, `ip link del` is not slow here; see "
        "the measure taken with --smp 2");
    return {};
  }
  to.goal("W6", fmt::format("wigeon down ÷ ip link del, {} peers", sizes.left), series[0],
          series[1], 0.03);
  return {};
}

}  // namespace wigeon::bench
