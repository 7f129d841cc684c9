// SPDX-License-Identifier: GPL-2.0-or-later
// The whole map comes again with one peer changed. CPU time of the daemon from the rename
// of the file until the kernel has the change: reading, decoding and judging the file,
// the plan, and the message. What comes after that (the cached copy on disk, what is
// observed again) is in the second figure.
#include <fmt/format.h>
#include <unistd.h>

#include "tests/bench/netlink/agent.hh"
#include "tests/bench/netlink/device.hh"
#include "tests/bench/netlink/measures.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {
namespace {

constexpr useconds_t kPause = 200;
constexpr double kLongest = 120.0;

// A new dump each time, of which only the beginning is read.
Result<uint16_t> first_port(int link, std::string& key) {
  auto r = TRY(Raw::open());
  uint8_t bytes[32];
  uint16_t port = 0;
  TRY(checked("first peer", raw_first_peer(r.get(), link, bytes, &port)));
  key = base64_encode(bytes);
  return port;
}

Result<void> until_port(int link, uint16_t wanted) {
  const double end = now() + kLongest;
  std::string key;
  while (TRY(first_port(link, key)) != wanted) {
    if (now() > end) return fail(ETIMEDOUT, "the change does not come");
    ::usleep(kPause);
  }
  return {};
}

}  // namespace

Result<void> measure_map(const Sizes& sizes, Report& to) {
  const auto directory = TRY(TempDir::make());
  auto agent = TRY(Agent::make());
  TRY(agent.prepare({.n = sizes.many}));
  TRY(agent.publish());
  TRY(agent.start());
  const int link = static_cast<int>(TRY(link_named(kAgentLink)));
  std::string first;
  TRY(first_port(link, first));

  auto configured = peers(sizes.many);
  const auto device = TRY(Device::make("sync", Identity::none, configured));
  const auto file = directory / "sync.conf";

  Series until_ack{"wigeond, CPU until the kernel has it"};
  Series until_quiet{"wigeond, CPU until it is quiet"};
  Series wall{"wigeond, wall until the kernel has it"};
  Series sync{"wg syncconf, wall"};
  for (size_t round = 0; round < sizes.rounds; ++round) {
    const auto port = static_cast<uint16_t>(2000 + round);
    TRY(agent.prepare({.n = sizes.many, .changed = first, .port = port}));
    const double before = TRY(agent.quiet_cpu());
    const double start = now();
    TRY(agent.publish());
    TRY(until_port(link, port));
    wall.seconds.push_back(now() - start);
    until_ack.seconds.push_back(TRY(cpu_seconds(agent.pid())) - before);
    until_quiet.seconds.push_back(TRY(agent.quiet_cpu()) - before);

    configured[0] = peer(0, port);
    TRY(write_text(file, config_of(configured, "")));
    sync.seconds.push_back(TRY(timed([&] {
      return run({"wg", "syncconf", device.name(), file});
    })));
  }
  to.add(fmt::format("Map of {} peers, one changed", sizes.many),
         std::vector{until_ack, until_quiet, wall, sync});
  to.goal("W3", "wigeond CPU until the kernel has it ÷ wg syncconf", until_ack, sync,
          1.0 / 200);
  return agent.finish();
}

}  // namespace wigeon::bench
