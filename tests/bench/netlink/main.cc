// SPDX-License-Identifier: GPL-2.0-or-later
// bench-netlink peers: the goals W1-W10 on the kernel's WireGuard, side by side with what
// others do. bench-netlink counts: exact numbers of system calls and bytes, which are
// tests. Everything happens in network and mount namespaces of its own.
#include <sched.h>
#include <sys/mount.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "netlink/wireguard.hh"
#include "tests/bench/netlink/counts.hh"
#include "tests/bench/netlink/measures.hh"
#include "tests/bench/netlink/process.hh"
#include "tests/bench/netlink/program.hh"

namespace wigeon::bench {
namespace {

struct Part {
  std::string_view goals;
  Result<void> (*measure)(const Sizes&, Report&);
};
constexpr Part kParts[] = {
    {"W1,W2", measure_change}, {"W4", measure_load},    {"W5", measure_removal},
    {"W8", measure_routes},    {"W3", measure_map},     {"W6", measure_tear_down},
    {"W7", measure_status},    {"W10", measure_memory}, {"W9", measure_up},
};

constexpr const char* kHelp =
    "Usage: bench-netlink peers [--quick] [--only Wn,…] [--rounds N] [--json FILE]\n"
    "       bench-netlink counts\n\n"
    "  --quick       small sizes and 5 rounds\n"
    "  --only Wn,…   of W1 to W10\n"
    "  --rounds N    7 unless given\n"
    "  --json FILE   what was measured, also as JSON\n\n"
    "peers exits with 0 whatever the verdicts are; counts with 1 when a number is "
    "another.\nBoth with 77 when the kernel has no WireGuard.\n";

Result<void> own_namespaces() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return fail_errno("unshare");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return fail_errno("mount");
  return run({"ip", "link", "set", "lo", "up"});
}

int usage() {
  std::fputs(kHelp, stderr);
  return kUsage;
}

int measure_all(const Options& options) {
  Sizes sizes;
  if (options.quick)
    sizes = {.rounds = 5,
             .many = 1'000,
             .most = 5'000,
             .routes = 1'000,

             .quick_peers = 10,
             .quick_routes = 15,
             .left = 50};
  sizes.rounds = options.rounds.value_or(sizes.rounds);
  Report report;
  for (const auto& part : kParts)
    if (wanted(part.goals, options.only))
      measure_part(
          part.goals, [&](Report& r) { return part.measure(sizes, r); }, report);
  return publish(report, options.json);
}

int run_program(std::span<char*> argv) {
  const std::string_view mode = argv.size() > 1 ? argv[1] : "";
  if (mode != "peers" && mode != "counts") return usage();
  const auto options = read_options(argv.subspan(2));
  if (!options) return usage();
  if (const auto own = own_namespaces(); !own) {
    std::printf("SKIP: needs root: %s\n", own.error().what.c_str());
    return kSkipped;
  }
  if (const auto there = netlink::WireGuard::open(); !there) {
    std::printf("SKIP: needs WireGuard in the kernel: %s\n", there.error().what.c_str());
    return kSkipped;
  }
  if (mode == "counts") return check_counts();
  return measure_all(*options);
}

}  // namespace
}  // namespace wigeon::bench

int main(int argc, char** argv) {
  return wigeon::bench::run_program({argv, static_cast<size_t>(argc)});
}
