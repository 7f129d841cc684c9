// SPDX-License-Identifier: GPL-2.0-or-later
// What bench-dns measures. Each adds its values and goals to the report.
#pragma once

#include "tests/bench/dns/load.hh"
#include "tests/bench/dns/server.hh"
#include "tests/bench/netlink/report.hh"

namespace wigeon::bench {

struct Effort {
  size_t rounds = 5;
  double seconds = 0.6;  // of one turn
  std::vector<size_t> names{100, 10'000, 100'000};
};

Result<void> measure_local(const Effort&, Report&);       // D1, D2, D3
Result<void> measure_in_process(const Effort&, Report&);  // D4
Result<void> measure_tcp(const Effort&, Report&);         // D5
Result<void> measure_forwarding(const Effort&, Report&);  // D6, D7
Result<void> measure_replacing(const Effort&, Report&);   // D8
Result<void> measure_memory(const Effort&, Report&);      // D9
Result<void> measure_together(const Effort&, Report&);    // M1
Result<void> measure_starting(const Effort&, Report&);    // S1

// A server that answers, and what was noted of its turns.
struct Contestant {
  std::string name{};
  Role role = Role::peer;
  Server server;
  std::vector<double> cpu{}, p50{}, p99{}, rate{};  // cpu: seconds for each reply

  Contestant(const Kind& kind, Server s)
      : name(kind.name), role(kind.role), server(std::move(s)) {}
};

// Starts one of each kind, with files of its own, and waits until it answers.
class Field {
 public:
  static Result<Field> gather(std::span<const Kind> kinds, size_t names,
                              const std::optional<Endpoint>& upstream, Report& report);
  // Rounds of turns, each round beginning with another one.
  Result<void> compete(const Effort& effort, const Questions& questions,
                       Pressure pressure, bool tcp, Report& report);
  // CPU for each reply, latencies and rates as values of this measure.
  void tell(const std::string& measure, Report& report) const;
  [[nodiscard]] const Contestant* find(std::string_view name) const;
  [[nodiscard]] Series cpu(std::string_view name) const;
  [[nodiscard]] std::vector<Contestant>& all() { return contestants_; }

 private:
  explicit Field(TempDir directory) : directory_(std::move(directory)) {}
  TempDir directory_;
  std::vector<Contestant> contestants_{};
};

// ours ÷ baseline, when that took part.
void ratio_goal(Report& report, const Field& field, const std::string& id,
                const std::string& what, const char* baseline, double at_most);

}  // namespace wigeon::bench
