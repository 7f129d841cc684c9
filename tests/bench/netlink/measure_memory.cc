// SPDX-License-Identifier: GPL-2.0-or-later
// Anonymous memory (Pss_Anon) of two freshly started daemons that differ in the number of
// peers: all that one more peer takes, its part of the map included.
#include <fmt/format.h>

#include "tests/bench/netlink/agent.hh"
#include "tests/bench/netlink/measures.hh"

namespace wigeon::bench {
namespace {

Result<uint64_t> memory_with(uint32_t n) {
  auto agent = TRY(Agent::make());
  TRY(agent.prepare({.n = n}));
  TRY(agent.publish());
  TRY(agent.start());
  TRY(agent.quiet_cpu());
  const uint64_t bytes = TRY(anonymous_bytes(agent.pid()));
  TRY(agent.finish());
  return bytes;
}

}  // namespace

Result<void> measure_memory(const Sizes& sizes, Report& to) {
  const auto few = TRY(memory_with(sizes.few));
  const auto many = TRY(memory_with(sizes.many));
  const std::string measure = "Anonymous memory of wigeond";
  to.add(measure, fmt::format("{} peers", sizes.few), Unit::bytes, double(few));
  to.add(measure, fmt::format("{} peers", sizes.many), Unit::bytes, double(many));
  to.goal({.id = "W10",
           .what = fmt::format("for each peer between {} and {}", sizes.few, sizes.many),
           .unit = Unit::bytes,
           .measured = (double(many) - double(few)) / (sizes.many - sizes.few),
           .at_most = 300});
  return {};
}

}  // namespace wigeon::bench
