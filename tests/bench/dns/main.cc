// SPDX-License-Identifier: GPL-2.0-or-later
// bench-dns: the goals D1-D9 and S1 of the resolver beside other servers, which are taken
// from $PATH when they are there. Everything happens on the loopback of a network
// namespace of its own: servers on CPU 0, the client on CPU 1.
#include <sched.h>

#include <cstdio>
#include <string_view>

#include "tests/bench/dns/measures.hh"

namespace wigeon::bench {
namespace {

constexpr int kUsage = 2, kSkipped = 77;
constexpr uint64_t kMostRounds = 1000;

struct Part {
  std::string_view name;
  Result<void> (*measure)(const Effort&, Report&);
};
constexpr Part kParts[] = {
    {"memory", measure_memory},         {"local", measure_local},
    {"in-process", measure_in_process}, {"tcp", measure_tcp},
    {"forward", measure_forwarding},    {"replace", measure_replacing},
    {"start", measure_starting}};

constexpr const char* kHelp =
    "Usage: bench-dns [--quick] [--only PART,…] [--rounds N] [--json FILE]\n\n"
    "  --quick       3 rounds of shorter turns\n"
    "  --only PART   memory, local, in-process, tcp, forward, replace, start\n"
    "  --rounds N    5 unless given; after --quick\n"
    "  --json FILE   what was measured, also as JSON\n\n"
    "Exits with 0 whatever the verdicts are, with 77 where it cannot run.\n";

int usage() {
  std::fputs(kHelp, stderr);
  return kUsage;
}

int measure_all(const Effort& effort, const std::string& only, const std::string& json) {
  Report report;
  for (const auto& part : kParts) {
    if (!only.empty() && !("," + only + ",").contains("," + std::string(part.name) + ","))
      continue;
    const double start = now();
    Report measured;
    if (const auto done = part.measure(effort, measured); !done)
      measured.remark(std::string(part.name) + ": not measured: " + done.error().what);
    std::fprintf(stderr, "bench: %s took %.0f s\n", std::string(part.name).c_str(),
                 now() - start);
    std::fputs(measured.values_text().c_str(), stdout);
    std::fflush(stdout);
    report.append(std::move(measured));
  }
  double load = 0;
  (void)::getloadavg(&load, 1);
  char text[64];
  (void)std::snprintf(text, sizeof text, "load average at the end: %.1f", load);
  report.remark(text);
  std::fputs(report.goals_text().c_str(), stdout);
  if (json.empty()) return 0;
  const auto written = write_text(json, report.json());
  if (!written) std::fprintf(stderr, "bench: %s\n", written.error().what.c_str());
  return written ? 0 : 1;
}

int run_program(std::span<char*> argv) {
  std::string only, json;
  Effort effort;
  for (size_t i = 1; i < argv.size(); ++i) {
    const std::string_view a = argv[i];
    if (a == "--quick") {
      effort.rounds = 3;
      effort.seconds = 0.3;
    } else if ((a == "--only" || a == "--json") && i + 1 < argv.size()) {
      (a == "--only" ? only : json) = argv[++i];
    } else if (a == "--rounds" && i + 1 < argv.size()) {
      const auto rounds = parse_number(argv[++i], kMostRounds);
      if (!rounds || *rounds == 0) return usage();
      effort.rounds = *rounds;
    } else {
      return usage();
    }
  }
  Result<void> own = run({"true"});
  if (::unshare(CLONE_NEWNET) != 0) own = fail_errno("unshare");
  if (own) own = run({"ip", "link", "set", "lo", "up"});
  if (!own) {
    std::printf("SKIP: needs root: %s\n", own.error().what.c_str());
    return kSkipped;
  }
  pin(1);
  return measure_all(effort, only, json);
}

}  // namespace
}  // namespace wigeon::bench

int main(int argc, char** argv) {
  return wigeon::bench::run_program({argv, static_cast<size_t>(argc)});
}
