// SPDX-License-Identifier: GPL-2.0-or-later
// All peers into a fresh device. With a private key the kernel computes a shared secret
// for each of them, which nobody can avoid.
#include <fmt/format.h>
#include <linux/wireguard.h>

#include "tests/bench/netlink/device.hh"
#include "tests/bench/netlink/measures.hh"
#include "tests/bench/netlink/process.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {
namespace {

struct Load {
  std::vector<raw_peer> peers{};
  DeviceChange change{};
  std::string config{};  // the file wg reads
};

// On a device of its own each time.
Contender fresh(std::string name, Identity identity, auto load) {
  return {std::move(name), [=]() -> Result<double> {
            const auto device = TRY(Device::make("load", identity));
            return load(device);
          }};
}

Result<double> by_raw(const Device& device, const Load& load, size_t most) {
  auto r = TRY(Raw::open());
  return timed([&] {
    return checked("load", raw_set(r.get(), device.index(), load.peers.data(),
                                   load.peers.size(), WGPEER_F_REPLACE_ALLOWEDIPS, most));
  });
}

Result<double> by_ours(const Device& device, const Load& load,
                       netlink::Socket::Counters& spent) {
  auto t = TRY(tunnel(device.link()));
  const auto before = t.counters();
  const double seconds = TRY(timed([&] { return t.set(load.change); }));
  spent.sends = t.counters().sends - before.sends;
  spent.receives = t.counters().receives - before.receives;
  return seconds;
}

Result<double> by_each(const Device& device, const Load& load) {
  return timed([&]() -> Result<void> {
    for (const auto& p : load.peers) {
      auto r = TRY(Raw::open());
      TRY(checked("load", raw_set(r.get(), device.index(), &p, 1,
                                  WGPEER_F_REPLACE_ALLOWEDIPS, 1)));
    }
    return {};
  });
}

Result<double> by_setconf(const Device& device, const Load& load) {
  return timed([&] { return run({"wg", "setconf", device.name(), load.config}); });
}

}  // namespace

Result<void> measure_load(const Sizes& sizes, Report& to) {
  const auto directory = TRY(TempDir::make());
  Load load{.peers = peers(sizes.many), .config = directory / "load.conf"};
  load.change = change_of(load.peers, PeerChange::Kind::add);
  auto secret = private_key().reveal();
  TRY(write_text(load.config, config_of(load.peers, secret)));
  netlink::Socket::Counters spent{};

  for (const Identity identity : {Identity::none, Identity::set}) {
    const bool key = identity == Identity::set;
    std::vector<Contender> contenders{
        fresh("ours", identity, [&](const Device& d) { return by_ours(d, load, spent); }),
        fresh("pack", identity,
              [&](const Device& d) { return by_raw(d, load, load.peers.size()); }),
        fresh("one: a message for each peer", identity,
              [&](const Device& d) { return by_raw(d, load, 1); }),
        fresh("each: a socket for each peer", identity,
              [&](const Device& d) { return by_each(d, load); }),
    };
    if (key)
      contenders.push_back(fresh("wg setconf", identity,
                                 [&](const Device& d) { return by_setconf(d, load); }));
    const auto series = TRY(alternate(sizes.rounds, contenders));
    const std::string_view state = key ? "key set" : "no key";
    to.add(fmt::format("{} peers, fresh, {}", sizes.many, state), series);
    to.goal("W4", fmt::format("ours ÷ pack, {}", state), series[0], series[1], 1.05);
    to.goal("W4", fmt::format("ours ÷ each, {}", state), series[0], series[3],
            key ? 0.35 : 0.02);
    if (key) to.goal("W4", "ours ÷ wg setconf", series[0], series[4], 0.85);
  }
  to.goal({.id = "W4",
           .what = fmt::format("sends, {} peers x 2 allowed IPs", sizes.many),
           .unit = Unit::count,
           .measured = double(spent.sends),
           .at_most = 20});
  wipe(secret);
  return {};
}

}  // namespace wigeon::bench
