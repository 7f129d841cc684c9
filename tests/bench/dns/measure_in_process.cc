// SPDX-License-Identifier: GPL-2.0-or-later
// One reply without a socket. That it takes no memory is a test (unit_dns_allocation).
#include <fmt/format.h>

#include <ctime>

#include "dns/control.hh"
#include "dns/sealed.hh"
#include "dns/service.hh"
#include "tests/bench/dns/measures.hh"

namespace wigeon::bench {
namespace {

struct Nobody : wigeon::dns::Exchange {
  Result<void> set_servers(std::span<const Endpoint>) override { return {}; }
  void send(const Endpoint&, wigeon::dns::Bytes, wigeon::dns::Transport,
            std::chrono::milliseconds, wigeon::dns::Done) override {}
};

// Of this thread: how busy the machine is does not count, what it does to caches does.
double cpu_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// What the daemon does with its names in its own thread, and the resolver's loader then.
Result<void> measure_loading(const Effort& effort, Report& report) {
  using namespace wigeon::dns;
  for (const size_t names : effort.names) {
    const auto config = our_config(names);
    Series encode{"encode"}, seal_it{"seal"}, read{"read"}, build{"build"}, drop{"drop"};
    for (size_t round = 0; round < effort.rounds * 2; ++round) {
      double last = cpu_time();
      const auto lap = [&](Series& s) {
        s.seconds.push_back(cpu_time() - last);
        last = cpu_time();
      };
      const auto bytes = TRY(encode_config(config));
      lap(encode);
      const auto fd = TRY(seal(bytes));
      lap(seal_it);
      auto sealed = std::make_optional(TRY(SealedConfig::map(fd.get())));
      auto view = std::make_optional(TRY(view_config(sealed->bytes())));
      lap(read);
      auto zones = TRY(Zones::build_of(view->zones, view->rest.overlay));
      lap(build);
      view.reset();
      sealed.reset();
      zones.reset();
      lap(drop);
    }
    report.add(fmt::format("{} names: CPU to hand them over", names),
               std::vector{encode, seal_it, read, build, drop});
  }
  return {};
}

}  // namespace

Result<void> measure_in_process(const Effort& effort, Report& report) {
  using namespace wigeon::dns;
  std::vector<Series> series;
  for (const size_t names : effort.names) {
    const auto config = our_config(names);
    Nobody nobody;
    Service service(nobody);
    service.replace_zones(TRY(Zones::build(config.zones, config.overlay)));
    Series s{.name = fmt::format("{} names", names)};
    for (const bool exists : {true, false}) {
      const auto questions = exists ? random_peers(names) : missing_peers(names);
      std::vector<double> each;
      for (size_t round = 0; round < effort.rounds * 4; ++round) {
        const double start = cpu_time();
        for (size_t i = 0; i < questions.count(); ++i)
          if (service.handle(questions[i], Transport::udp).kind != Answer::Kind::reply)
            return fail(EPROTO, "not answered");
        each.push_back((cpu_time() - start) / static_cast<double>(questions.count()));
      }
      (exists ? s.seconds : series.emplace_back(s.name + ", NXDOMAIN").seconds) = each;
    }
    series.push_back(s);
    if (names >= 10'000)
      report.goal(Goal{.id = "D4",
                       .what = fmt::format("one reply in memory, {} names", names),
                       .unit = Unit::seconds,
                       .measured = median(s.seconds),
                       .at_most = names > 10'000 ? 300e-9 : 85e-9,
                       .rounds = middle(s.seconds)});
  }
  for (auto& s : series)
    report.add("one reply in memory", s.name + ", ns", Unit::count,
               median(s.seconds) * 1e9);
  return measure_loading(effort, report);
}

}  // namespace wigeon::bench
