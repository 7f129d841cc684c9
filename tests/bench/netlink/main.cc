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

namespace wigeon::bench {
namespace {

constexpr int kUsage = 2, kSkipped = 77;
constexpr uint64_t kMostRounds = 1000;

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
    "  --rounds N    7 unless given; after --quick\n"
    "  --json FILE   what was measured, also as JSON\n\n"
    "peers exits with 0 whatever the verdicts are; counts with 1 when a number is "
    "another.\nBoth with 77 when the kernel has no WireGuard.\n";

Result<void> own_namespaces() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return fail_errno("unshare");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return fail_errno("mount");
  return run({"ip", "link", "set", "lo", "up"});
}

bool wanted(const Part& part, const std::string& only) {
  if (only.empty()) return true;
  const std::string list = "," + only + ",";
  for (size_t from = 0; from < part.goals.size();) {
    const size_t to = std::min(part.goals.find(',', from), part.goals.size());
    if (list.contains("," + std::string(part.goals.substr(from, to - from)) + ","))
      return true;
    from = to + 1;
  }
  return false;
}

int measure_all(const Sizes& sizes, const std::string& only, const std::string& json) {
  Report report;
  for (const auto& part : kParts) {
    if (!wanted(part, only)) continue;
    const std::string goals(part.goals);
    const double start = now();
    std::fprintf(stderr, "bench: %s …\n", goals.c_str());
    Report measured;
    if (const auto done = part.measure(sizes, measured); !done) {
      std::fprintf(stderr, "bench: %s: %s\n", goals.c_str(), done.error().what.c_str());
      measured.remark(goals + ": not measured: " + done.error().what);
    }
    std::fprintf(stderr, "bench: %s took %.0f s\n", goals.c_str(), now() - start);
    std::fputs(measured.values_text().c_str(), stdout);
    std::fflush(stdout);
    report.append(std::move(measured));
  }
  std::fputs(report.goals_text().c_str(), stdout);
  if (json.empty()) return 0;
  const auto written = write_text(json, report.json());
  if (!written) std::fprintf(stderr, "bench: %s\n", written.error().what.c_str());
  return written ? 0 : 1;
}

int usage() {
  std::fputs(kHelp, stderr);
  return kUsage;
}

int run_program(std::span<char*> argv) {
  std::string only, json;
  Sizes sizes;
  const std::string_view mode = argv.size() > 1 ? argv[1] : "";
  for (size_t i = 2; i < argv.size(); ++i) {
    const std::string_view a = argv[i];
    if (a == "--quick") {
      sizes = {.rounds = 5,
               .many = 1'000,
               .most = 5'000,
               .routes = 1'000,

               .quick_peers = 10,
               .quick_routes = 15,
               .left = 50};
    } else if ((a == "--only" || a == "--json") && i + 1 < argv.size()) {
      (a == "--only" ? only : json) = argv[++i];
    } else if (a == "--rounds" && i + 1 < argv.size()) {
      const auto rounds = parse_number(argv[++i], kMostRounds);
      if (!rounds || *rounds == 0) return usage();
      sizes.rounds = *rounds;
    } else {
      return usage();
    }
  }
  if (mode != "peers" && mode != "counts") return usage();
  if (const auto own = own_namespaces(); !own) {
    std::printf("SKIP: needs root: %s\n", own.error().what.c_str());
    return kSkipped;
  }
  if (const auto there = netlink::WireGuard::open(); !there) {
    std::printf("SKIP: needs WireGuard in the kernel: %s\n", there.error().what.c_str());
    return kSkipped;
  }
  if (mode == "counts") return check_counts();
  return measure_all(sizes, only, json);
}

}  // namespace
}  // namespace wigeon::bench

int main(int argc, char** argv) {
  return wigeon::bench::run_program({argv, static_cast<size_t>(argc)});
}
