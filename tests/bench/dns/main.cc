// SPDX-License-Identifier: GPL-2.0-or-later
// bench-dns: the goals D1-D9, S1 and M1 of the resolver beside other servers, which are
// taken from $PATH when they are there. Everything happens on the loopback of a network
// namespace of its own: servers on CPU 0, the client on CPU 1.
#include <sched.h>
#include <sys/mount.h>

#include <cstdio>
#include <string_view>

#include "tests/bench/dns/measures.hh"
#include "tests/bench/netlink/program.hh"

namespace wigeon::bench {
namespace {

struct Part {
  std::string_view name;
  Result<void> (*measure)(const Effort&, Report&);
};
constexpr Part kParts[] = {
    {"memory", measure_memory},     {"together", measure_together},
    {"local", measure_local},       {"in-process", measure_in_process},
    {"tcp", measure_tcp},           {"forward", measure_forwarding},
    {"replace", measure_replacing}, {"start", measure_starting}};

constexpr const char* kHelp =
    "Usage: bench-dns [--quick] [--only PART,…] [--rounds N] [--json FILE]\n\n"
    "  --quick       3 rounds of shorter turns\n"
    "  --only PART   memory, together, local, in-process, tcp, forward, replace, start\n"
    "  --rounds N    5 unless given\n"
    "  --json FILE   what was measured, also as JSON\n\n"
    "Exits with 0 whatever the verdicts are, with 77 where it cannot run.\n";

int usage() {
  std::fputs(kHelp, stderr);
  return kUsage;
}

int measure_all(const Options& options) {
  Effort effort;
  if (options.quick) {
    effort.rounds = 3;
    effort.seconds = 0.3;
  }
  effort.rounds = options.rounds.value_or(effort.rounds);
  Report report;
  for (const auto& part : kParts)
    if (wanted(part.name, options.only))
      measure_part(
          part.name, [&](Report& r) { return part.measure(effort, r); }, report);
  double load = 0;
  (void)::getloadavg(&load, 1);
  char text[64];
  (void)std::snprintf(text, sizeof text, "load average at the end: %.1f", load);
  report.remark(text);
  return publish(report, options.json);
}

// A /run of our own too: wireguard-go has its sockets there.
Result<void> enter_own_namespaces() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return fail_errno("unshare");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("run", "/run", "tmpfs", 0, nullptr) != 0)
    return fail_errno("mount");
  return run({"ip", "link", "set", "lo", "up"});
}

int run_program(std::span<char*> argv) {
  const auto options = read_options(argv.subspan(1));
  if (!options) return usage();
  Result<void> own = run({"true"});
  if (own) own = enter_own_namespaces();
  if (!own) {
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
