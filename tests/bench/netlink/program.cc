// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/program.hh"

#include <cstdio>

#include "agent/base/ip.hh"
#include "tests/bench/netlink/process.hh"

namespace wigeon::bench {
namespace {

constexpr uint64_t kMostRounds = 1000;

}  // namespace

std::optional<Options> read_options(std::span<char* const> arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view a = arguments[i];
    const bool has_value = i + 1 < arguments.size();
    if (a == "--quick") {
      options.quick = true;
    } else if (has_value && (a == "--only" || a == "--json")) {
      (a == "--only" ? options.only : options.json) = arguments[++i];
    } else if (has_value && a == "--rounds") {
      const auto rounds = parse_number(arguments[++i], kMostRounds);
      if (!rounds || *rounds == 0) return std::nullopt;
      options.rounds = *rounds;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

bool wanted(std::string_view names, const std::string& only) {
  if (only.empty()) return true;
  const std::string list = "," + only + ",";
  for (size_t from = 0; from < names.size();) {
    const size_t to = std::min(names.find(',', from), names.size());
    if (list.contains("," + std::string(names.substr(from, to - from)) + ","))
      return true;
    from = to + 1;
  }
  return false;
}

void measure_part(std::string_view name,
                  const std::function<Result<void>(Report&)>& measure, Report& report) {
  const std::string title(name);
  const double start = now();
  std::fprintf(stderr, "bench: %s …\n", title.c_str());
  Report measured;
  if (const auto done = measure(measured); !done) {
    std::fprintf(stderr, "bench: %s: %s\n", title.c_str(), done.error().what.c_str());
    measured.remark(title + ": not measured: " + done.error().what);
  }
  std::fprintf(stderr, "bench: %s took %.0f s\n", title.c_str(), now() - start);
  std::fputs(measured.values_text().c_str(), stdout);
  std::fflush(stdout);
  report.append(std::move(measured));
}

int publish(const Report& report, const std::string& json) {
  std::fputs(report.goals_text().c_str(), stdout);
  if (json.empty()) return 0;
  const auto written = write_text(json, report.json());
  if (!written) std::fprintf(stderr, "bench: %s\n", written.error().what.c_str());
  return written ? 0 : 1;
}

}  // namespace wigeon::bench
