// SPDX-License-Identifier: GPL-2.0-or-later
// From nothing to peers and routes in force: the daemon from its start to the return of
// `wigeon up --wait`, against wg-quick.
#include <fmt/format.h>

#include "tests/bench/netlink/agent.hh"
#include "tests/bench/netlink/measures.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {
namespace {

std::string quick_config(const Sizes& sizes) {
  auto secret = private_key().reveal();
  auto text = "[Interface]\nPrivateKey = " + secret + "\nAddress = 100.127.255.1/10\n";
  wipe(secret);
  for (uint32_t i = 0; i < sizes.quick_peers; ++i) {
    const auto p = peer(i);
    std::string ips = Prefix::host(Address::v4(0x64400001 + i)).text();
    for (uint32_t network = i; network < sizes.quick_routes; network += sizes.quick_peers)
      fmt::format_to(std::back_inserter(ips), ",10.{}.{}.0/24", network >> 8,
                     network & 255);
    fmt::format_to(std::back_inserter(text),
                   "[Peer]\nPublicKey = {}\nAllowedIPs = {}\nEndpoint = {}\n",
                   key_text(p), ips, endpoint_text(p));
  }
  return text;
}

// It tells each of its commands on stderr.
Result<void> wg_quick(const char* command, const std::string& config) {
  return run({"sh", "-c", R"(exec wg-quick "$@" 2>/dev/null)", "sh", command, config});
}

}  // namespace

Result<void> measure_up(const Sizes& sizes, Report& to) {
  const auto directory = TRY(TempDir::make());
  const auto config = directory / "quick.conf";
  TRY(write_text(config, quick_config(sizes)));

  Series ours{"wigeond, start to `up --wait`"};
  for (size_t round = 0; round < sizes.rounds; ++round) {
    auto agent = TRY(Agent::make());
    TRY(agent.prepare({.n = sizes.quick_peers, .networks = sizes.quick_routes}));
    TRY(agent.publish());
    ours.seconds.push_back(TRY(timed([&] { return agent.start(); })));
    TRY(agent.finish());
  }
  Series quick{"wg-quick up"};
  for (size_t round = 0; round < sizes.quick_rounds; ++round) {
    quick.seconds.push_back(TRY(timed([&] { return wg_quick("up", config); })));
    TRY(wg_quick("down", config));
  }
  to.add(fmt::format("Up: {} peers and {} routes", sizes.quick_peers, sizes.quick_routes),
         std::vector{ours, quick});
  to.goal({.id = "W9",
           .what = "wigeond ÷ wg-quick up",
           .measured = median(ours.seconds) / median(quick.seconds),
           .at_most = 1.0 / 1000});
  if (sizes.quick_rounds == 1)
    to.remark("W9: wg-quick is measured once, not in turns; it takes minutes");
  return {};
}

}  // namespace wigeon::bench
