// SPDX-License-Identifier: GPL-2.0-or-later
// One peer of a loaded device gets another endpoint; its allowed IPs are said again.
#include <fmt/format.h>
#include <linux/wireguard.h>

#include "tests/bench/netlink/device.hh"
#include "tests/bench/netlink/measures.hh"
#include "tests/bench/netlink/process.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {
namespace {

constexpr size_t kCalls = 200;
constexpr const char* kEach = "each: a socket for each change";
constexpr const char* kSet = "wg set";
constexpr const char* kSync = "wg syncconf, one changed";
constexpr uint32_t kUpdate = WGPEER_F_UPDATE_ONLY | WGPEER_F_REPLACE_ALLOWEDIPS;

// Another peer and another port each time.
class Changes {
 public:
  explicit Changes(uint32_t n) : n_(n) {}
  raw_peer next() {
    ++turn_;
    return peer(turn_ * 7919 % n_, static_cast<uint16_t>(1024 + turn_ % 60'000));
  }

 private:
  uint32_t n_;
  uint32_t turn_ = 0;
};

// The median of kCalls calls.
Result<double> typical(Changes& changes, auto prepare, auto call) {
  std::vector<double> each;
  for (size_t i = 0; i < kCalls; ++i) {
    const auto prepared = prepare(changes.next());
    each.push_back(TRY(timed([&] { return call(prepared); })));
  }
  return median(std::move(each));
}

Contender ours(std::string name, netlink::KernelTunnel& t, Changes& changes) {
  return {std::move(name), [&] {
            return typical(
                changes,
                [](const raw_peer& p) {
                  return DeviceChange{.peers = {change_of(p, PeerChange::Kind::update)}};
                },
                [&](const DeviceChange& c) { return t.set(c); });
          }};
}

Contender held(std::string name, Raw& r, const Device& device, Changes& changes) {
  return {std::move(name), [&] {
            return typical(
                changes, [](const raw_peer& p) { return p; },
                [&](const raw_peer& p) {
                  return checked("one peer",
                                 raw_set(r.get(), device.index(), &p, 1, kUpdate, 1));
                });
          }};
}

Contender each(const Device& device, Changes& changes) {
  return {kEach, [&] {
            return typical(
                changes, [](const raw_peer& p) { return p; },
                [&](const raw_peer& p) -> Result<void> {
                  auto r = TRY(Raw::open());
                  return checked("one peer",
                                 raw_set(r.get(), device.index(), &p, 1, kUpdate, 1));
                });
          }};
}

Contender wg_set(const Device& device, Changes& changes) {
  return {kSet, [&]() -> Result<double> {
            const auto p = changes.next();
            const Arguments program{
                "wg",        "set",         device.name(),      "peer",
                key_text(p), "endpoint",    endpoint_text(p),   "persistent-keepalive",
                "25",        "allowed-ips", allowed_ips_text(p)};
            return timed([&] { return run(program); });
          }};
}

Contender syncconf(const Device& device, const std::string& file,
                   std::vector<raw_peer>& all) {
  return {kSync, [&, turn = uint32_t{0}]() mutable -> Result<double> {
            ++turn;
            const uint32_t n = turn * 7919 % static_cast<uint32_t>(all.size());
            all[n] = peer(n, static_cast<uint16_t>(1024 + turn));
            TRY(write_text(file, config_of(all, "")));
            return timed([&] { return run({"wg", "syncconf", device.name(), file}); });
          }};
}

// What one call of ours sends and receives at this size.
Result<void> count(netlink::KernelTunnel& t, Changes& changes, uint32_t n, Report& to) {
  const auto before = t.counters();
  TRY(t.set({.peers = {change_of(changes.next(), PeerChange::Kind::update)}}));
  const auto after = t.counters();
  const auto measure = fmt::format("One of {} peers, system calls and bytes", n);
  to.add(measure, "sends", Unit::count, double(after.sends - before.sends));
  to.add(measure, "receives", Unit::count, double(after.receives - before.receives));
  to.add(measure, "sent", Unit::bytes, double(after.bytes_sent - before.bytes_sent));
  to.add(measure, "received", Unit::bytes,
         double(after.bytes_received - before.bytes_received));
  to.goal(
      {.id = "W1",
       .what = fmt::format("sends + receives, {} peers", n),
       .unit = Unit::count,
       .measured = double(after.sends - before.sends + after.receives - before.receives),
       .at_most = 2});
  return {};
}

}  // namespace

Result<void> measure_change(const Sizes& sizes, Report& to) {
  const auto directory = TRY(TempDir::make());
  auto all = peers(sizes.most);
  const auto few =
      TRY(Device::make("few", Identity::none, std::span(all).first(sizes.few)));
  const auto many =
      TRY(Device::make("many", Identity::none, std::span(all).first(sizes.many)));
  const auto most = TRY(Device::make("most", Identity::none, all));
  auto to_few = TRY(tunnel(few.link()));
  auto to_many = TRY(tunnel(many.link()));
  auto to_most = TRY(tunnel(most.link()));
  auto raw = TRY(Raw::open());
  Changes in_few(sizes.few), in_many(sizes.many), in_most(sizes.most);
  auto configured = peers(sizes.many);
  const auto file = directory / "sync.conf";

  const auto name = [](const char* who, uint32_t n) {
    return fmt::format("{}, {} peers", who, n);
  };
  const std::vector<Contender> contenders{
      ours(name("ours", sizes.few), to_few, in_few),
      held(name("raw", sizes.few), raw, few, in_few),
      ours(name("ours", sizes.many), to_many, in_many),
      held(name("raw", sizes.many), raw, many, in_many),
      each(many, in_many),
      wg_set(many, in_many),
      syncconf(many, file, configured),
      ours(name("ours", sizes.most), to_most, in_most),
      held(name("raw", sizes.most), raw, most, in_most),
  };
  const auto series = TRY(alternate(sizes.rounds, contenders));
  to.add(fmt::format("One peer changed (p50 of {} calls a round)", kCalls), series);
  TRY(count(to_few, in_few, sizes.few, to));
  TRY(count(to_many, in_many, sizes.many, to));
  const auto of = [&](const std::string& who) -> const Series& {
    return find(series, who);
  };
  for (const uint32_t n : {sizes.few, sizes.many, sizes.most})
    to.goal("W1", name("ours ÷ raw", n), of(name("ours", n)), of(name("raw", n)), 1.10);
  to.goal("W1", fmt::format("ours, {} ÷ {} peers", sizes.most, sizes.few),
          of(name("ours", sizes.most)), of(name("ours", sizes.few)), 1.15);
  to.remark(fmt::format(
      "W1: raw, {} ÷ {} peers, is {:.2f}: the kernel's tables in the caches", sizes.most,
      sizes.few,
      median(ratios(of(name("raw", sizes.most)), of(name("raw", sizes.few))))));
  const auto& ours_many = of(name("ours", sizes.many));
  to.goal("W2", name("ours ÷ each", sizes.many), ours_many, of(kEach), 0.33);
  to.goal("W2", name("ours ÷ wg set", sizes.many), ours_many, of(kSet), 1.0 / 200);
  to.goal("W2", name("ours ÷ wg syncconf", sizes.many), ours_many, of(kSync),
          1.0 / 15'000);
  to.remark(fmt::format("W2: raw is 1/{:.0f} of wg syncconf: what the kernel leaves",
                        median(ratios(of(kSync), of(name("raw", sizes.many))))));
  return {};
}

}  // namespace wigeon::bench
