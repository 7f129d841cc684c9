// SPDX-License-Identifier: GPL-2.0-or-later
// Memory of wigeond and its wigeon-resolver at rest, with a name for each peer. Whoever
// carries the tunnel where the kernel does not is left out.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/bench/dns/measures.hh"
#include "tests/bench/netlink/agent.hh"

namespace wigeon::bench {
namespace {

namespace fs = std::filesystem;

constexpr double kPatience = 30;

struct Memory {
  uint64_t pss = 0, anonymous = 0, resident = 0;  // bytes
};

Result<Memory> memory_of(pid_t pid) {
  Memory m;
  std::ifstream in(fmt::format("/proc/{}/smaps_rollup", pid));
  std::string word;
  while (in >> word) {
    uint64_t* const to = word == "Pss:"        ? &m.pss
                         : word == "Pss_Anon:" ? &m.anonymous
                         : word == "Rss:"      ? &m.resident
                                               : nullptr;
    uint64_t kilobytes = 0;
    if (to && in >> kilobytes) *to = kilobytes << 10;
  }
  if (m.pss == 0) return fail(ESRCH, "no memory in smaps_rollup");
  return m;
}

// The child of that name; it may take a moment.
Result<pid_t> child_of(pid_t parent, std::string_view name) {
  for (const double end = now() + kPatience; now() < end; ::usleep(20'000)) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator("/proc", none)) {
      std::ifstream in(entry.path() / "status");
      std::string word, named, of;
      while (of.empty() && in >> word) {
        if (word == "Name:") in >> named;
        if (word == "PPid:") in >> of;
      }
      if (named == name && of == std::to_string(parent))
        return std::atoi(entry.path().filename().c_str());
    }
  }
  return fail(ESRCH, "no " + std::string(name) + " was started");
}

Result<void> measure(const Map& map, double at_most, Report& report) {
  auto agent = TRY(Agent::make(Agent::Kind::whole));
  TRY(agent.prepare(map));
  TRY(agent.publish());
  TRY(agent.start());
  const pid_t resolver = TRY(child_of(agent.pid(), "wigeon-resolver"));
  TRY(agent.quiet_cpu());
  const auto daemon = TRY(memory_of(agent.pid()));
  const auto names = TRY(memory_of(resolver));
  TRY(agent.finish());
  const auto what = fmt::format("{} peers and names, {} rules", map.n, map.rules);
  for (const auto& [name, m] :
       {std::pair("wigeond", daemon), std::pair("wigeon-resolver", names)}) {
    const auto add = [&](const char* kind, uint64_t bytes) {
      report.add(fmt::format("{}: {}", what, kind), name, Unit::bytes,
                 static_cast<double>(bytes));
    };
    add("PSS", m.pss);
    add("anonymous", m.anonymous);
    add("resident", m.resident);
  }
  report.goal(Goal{.id = "M1",
                   .what = "PSS of both, " + what,
                   .unit = Unit::bytes,
                   .measured = static_cast<double>(daemon.pss + names.pss),
                   .at_most = at_most});
  return {};
}

}  // namespace

Result<void> measure_together(const Effort&, Report& report) {
  TRY(measure({.n = 100}, 8e6, report));
  return measure({.n = 10'000, .rules = 10'000}, 20e6, report);
}

}  // namespace wigeon::bench
