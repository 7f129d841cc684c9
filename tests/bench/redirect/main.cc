// SPDX-License-Identifier: GPL-2.0-or-later
// bench-redirect: what each way to port 53 costs the host's other loopback traffic, and
// the queries themselves, beside nothing at all, an empty XDP program and a redirect of
// UDP only. In a network namespace of its own; the clients on CPU 1, servers on CPU 0.
#include <fmt/format.h>
#include <sched.h>

#include <cstdio>
#include <filesystem>
#include <map>

#include "dns/launcher.hh"
#include "tests/bench/netlink/process.hh"
#include "tests/bench/netlink/program.hh"
#include "tests/bench/redirect/traffic.hh"
#include "tests/bench/redirect/ways.hh"

namespace wigeon::bench {
namespace {

constexpr const char* kName = "peer.bench.test";
constexpr uint16_t kPort = 5053;
const Address kOwn = *Address::parse("100.64.0.1");

constexpr const char* kHelp =
    "Usage: bench-redirect [--quick] [--only PART,…] [--rounds N] [--json FILE]\n\n"
    "  --quick       3 rounds of a tenth\n"
    "  --only PART   bulk, small, tcp-rr, udp-rr, dns\n"
    "  --rounds N    7 unless given\n"
    "  --json FILE   what was measured, also as JSON\n\n"
    "Exits with 0 whatever the verdicts are, with 77 where it cannot run.\n";

// Our resolver, on own:5053 and 127.0.0.1:5053.
struct Resolver {
  Loop loop;
  std::vector<UniqueFd> copies{};  // of its listeners, for the socket lookup
  Port53 place{};
  std::unique_ptr<dns::Resolver> process{};
};

Result<std::unique_ptr<Resolver>> start_resolver() {
  auto r = std::make_unique<Resolver>(TRY(Loop::open()));
  const Address loopback = *Address::parse("127.0.0.1");
  r->place = {.own = kOwn, .port = kPort};
  dns::ListenerChange change;
  change.open = TRY(dns::open_listeners(std::vector{kOwn, loopback}, kPort));
  change.replies = TRY(dns::open_reply_sockets(std::vector{kOwn}));
  for (const auto& s : change.open) {
    if (s.endpoint.address != loopback) continue;
    r->copies.emplace_back(::dup(s.fd.get()));
    const int fd = r->copies.back().get();
    (s.transport == dns::Transport::udp ? r->place.listeners.udp4
                                        : r->place.listeners.tcp4) = fd;
  }
  dns::ResolverConfig config;
  config.own_addresses = {kOwn};
  config.zones = {
      {.domain = "bench.test", .records = {{std::string(kName), 1, 300, "100.64.0.2"}}}};
  const auto encoded = TRY(dns::encode_config(config));
  bool applied = false;
  std::string failure;
  dns::Resolver::Events events;
  events.applied = [&](const auto&) { applied = true; };
  events.refused = [&](const auto& refused) { failure = refused.reason; };
  events.exited = [&](const std::string& why) { failure = why; };
  std::error_code none;
  const auto program =
      (std::filesystem::read_symlink("/proc/self/exe", none).parent_path() /
       "wigeon-resolver")
          .string();
  pin(0);
  auto started = dns::Resolver::start(r->loop, program, {::getuid(), ::getgid()},
                                      std::move(change), encoded, std::move(events));
  pin(1);
  if (!started) return std::unexpected(started.error());
  r->process = std::move(*started);
  while (!applied && failure.empty()) TRY(r->loop.run_once(std::chrono::seconds(5)));
  if (!failure.empty()) return fail(EPROTO, failure);
  return r;
}

struct Part {
  const char* name;
  const char* what;
  size_t operations;
  Result<Cost> (*run)(size_t operations);
};
const Part kParts[] = {
    {"bulk", "TCP, writes of 128 KiB", 16'000,
     [](size_t n) { return stream(n, 128 << 10); }},
    {"small", "TCP, writes of 1 KiB", 400'000,
     [](size_t n) { return stream(n, 1 << 10); }},
    {"tcp-rr", "TCP, request and response", 60'000,
     [](size_t n) { return tcp_turns(n, 64); }},
    {"udp-rr", "UDP, request and response", 60'000,
     [](size_t n) { return udp_turns(n, 64); }},
};

struct Measured {
  std::map<std::string, std::vector<double>> wall{}, cpu{};  // by way, for each round
};

// Each way in turn, each round beginning with another one.
Result<Measured> measure(size_t rounds, const Port53& place,
                         const std::function<bool(const Way&)>& takes_part,
                         const std::function<Result<Cost>(const Way&)>& run) {
  Measured m;
  const auto& all = ways();
  for (size_t round = 0; round <= rounds; ++round)
    for (size_t i = 0; i < all.size(); ++i) {
      const Way& way = all[(i + round) % all.size()];
      if (!takes_part(way)) continue;
      const auto held = TRY(way.attach(place));
      const auto cost = TRY(run(way));
      if (round == 0) continue;  // warms up
      m.wall[way.name].push_back(cost.wall);
      m.cpu[way.name].push_back(cost.cpu);
    }
  return m;
}

std::vector<double> quotients(const std::vector<double>& a,
                              const std::vector<double>& b) {
  std::vector<double> q;
  for (size_t i = 0; i < a.size(); ++i) q.push_back(a[i] / b[i]);
  return q;
}

// Rate and CPU of each way, in parts of those of "none" in the same round.
void tell(const Measured& m, const char* what, size_t operations, Report& report) {
  std::printf("\n%s\n  %-14s %8s %8s %12s\n", what, "", "rate", "CPU", "CPU each");
  for (const auto& way : ways()) {
    const auto at = m.wall.find(way.name);
    if (at == m.wall.end()) continue;
    const auto rate = quotients(m.wall.at("none"), at->second);
    const auto cpu = quotients(m.cpu.at(way.name), m.cpu.at("none"));
    const double each = median(m.cpu.at(way.name)) / static_cast<double>(operations);
    std::printf("  %-14s %8.3f %8.3f %9.0f ns\n", way.name, median(rate), median(cpu),
                each * 1e9);
    report.add(what, std::string(way.name) + ", rate of none", Unit::ratio, median(rate));
    report.add(what, std::string(way.name) + ", CPU of none", Unit::ratio, median(cpu));
    report.add(what, std::string(way.name) + ", CPU each", Unit::seconds, each);
  }
}

// At least this part of the rate of another way.
void at_least(const Measured& m, const char* id, const char* what, const char* way,
              const char* other, double least, Report& report) {
  const auto slower = quotients(m.wall.at(way), m.wall.at(other));
  report.goal({.id = id,
               .what = fmt::format("{}: time of {} / {}", what, way, other),
               .measured = median(slower),
               .at_most = 1 / least,
               .rounds = middle(slower)});
}

Result<void> measure_others(const Part& part, size_t rounds, size_t operations,
                            const Port53& place, Report& report) {
  const auto m = TRY(measure(
      rounds, place, [](const Way&) { return true; },
      [&](const Way&) { return part.run(operations); }));
  tell(m, part.what, operations, report);
  at_least(m, "R1", part.what, "sk_lookup", "none", 0.97, report);
  at_least(m, "R2", part.what, "tc", "none", 0.95, report);
  at_least(m, "R3", part.what, "xdp", "empty xdp", 0.97, report);
  return {};
}

Result<void> measure_dns(size_t rounds, size_t queries, const Resolver& resolver,
                         Report& report) {
  const char* what = "DNS over UDP";
  const auto leads = [](const Way& w) {
    const std::string_view name = w.name;
    return w.leads || name == "none" || name == "udp-only xdp";
  };
  const auto ask = [&](const Way& w) -> Result<Cost> {
    const uint16_t port = std::string_view(w.name) == "none" ? kPort : 53;
    const double before = TRY(cpu_seconds(resolver.process->pid()));
    auto cost = TRY(dns_queries({kOwn, port}, kName, queries));
    const double after = TRY(cpu_seconds(resolver.process->pid()));
    cost.cpu += after - before;
    return cost;
  };
  const auto m = TRY(measure(rounds, resolver.place, leads, ask));
  tell(m, what, queries, report);
  const double none = median(m.cpu.at("none"));
  const double nft = median(m.cpu.at("nftables")) - none;
  for (const char* way : {"sk_lookup", "tc"})
    report.goal({.id = "R4",
                 .what = fmt::format("CPU added to a query: {} / nftables", way),
                 .measured = nft > 0 ? (median(m.cpu.at(way)) - none) / nft : 0,
                 .at_most = 0.25});
  return {};
}

Result<void> prepare() {
  if (::unshare(CLONE_NEWNET) != 0) return fail_errno("unshare");
  TRY(run({"ip", "link", "set", "lo", "up"}));
  return run({"ip", "address", "add", kOwn.text() + "/32", "dev", "lo"});
}

int measure_all(const Options& options) {
  const size_t rounds = options.rounds.value_or(options.quick ? 3 : 7);
  const size_t part_of = options.quick ? 10 : 1;
  Report report;
  auto resolver = start_resolver();
  if (!resolver) {
    std::printf("SKIP: %s\n", resolver.error().what.c_str());
    return kSkipped;
  }
  for (const auto& part : kParts)
    if (wanted(part.name, options.only))
      measure_part(
          part.name,
          [&](Report& r) {
            return measure_others(part, rounds, part.operations / part_of,
                                  (*resolver)->place, r);
          },
          report);
  if (wanted("dns", options.only))
    measure_part(
        "dns",
        [&](Report& r) { return measure_dns(rounds, 200'000 / part_of, **resolver, r); },
        report);
  return publish(report, options.json);
}

int run_program(std::span<char*> argv) {
  const auto options = read_options(argv.subspan(1));
  if (!options) {
    std::fputs(kHelp, stderr);
    return kUsage;
  }
  if (auto own = prepare(); !own) {
    std::printf("SKIP: needs root: %s\n", own.error().what.c_str());
    return kSkipped;
  }
  pin(1);
  return measure_all(*options);
}

}  // namespace
}  // namespace wigeon::bench

int main(int argc, char** argv) {
  return wigeon::bench::run_program({argv, static_cast<size_t>(argc)});
}
