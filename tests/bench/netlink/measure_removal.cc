// SPDX-License-Identifier: GPL-2.0-or-later
// Every other peer of a loaded device goes.
#include <fmt/format.h>
#include <linux/wireguard.h>

#include "tests/bench/netlink/device.hh"
#include "tests/bench/netlink/measures.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {

Result<void> measure_removal(const Sizes& sizes, Report& to) {
  const auto all = peers(sizes.many);
  std::vector<raw_peer> half;
  for (size_t i = 0; i < all.size(); i += 2) half.push_back(all[i]);
  const auto change = change_of(half, PeerChange::Kind::remove);

  const auto by_raw = [&](size_t most) -> Result<double> {
    const auto device = TRY(Device::make("half", Identity::none, all));
    auto r = TRY(Raw::open());
    return timed([&] {
      return checked("removal", raw_set(r.get(), device.index(), half.data(), half.size(),
                                        WGPEER_F_REMOVE_ME, most));
    });
  };
  const std::vector<Contender> contenders{
      {"ours",
       [&]() -> Result<double> {
         const auto device = TRY(Device::make("half", Identity::none, all));
         auto t = TRY(tunnel(device.link()));
         return timed([&] { return t.set(change); });
       }},
      {"pack", [&] { return by_raw(half.size()); }},
      {"one: a message for each peer", [&] { return by_raw(1); }},
  };
  const auto series = TRY(alternate(sizes.rounds, contenders));
  to.add(fmt::format("{} of {} peers removed", half.size(), all.size()), series);
  to.goal("W5", "ours ÷ one message for each", series[0], series[2], 0.06);
  return {};
}

}  // namespace wigeon::bench
