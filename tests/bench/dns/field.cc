// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "tests/bench/dns/measures.hh"

namespace wigeon::bench {
namespace {

constexpr double kStartPatience = 20;
// A baseline that varies by more says nothing certain about its ratios.
constexpr double kSteady = 0.15;

uint16_t next_port() {
  static uint16_t port = 5300;
  return port++;
}

bool is_late(const Load& load) {
  return load.lost * 100 > load.sent || load.wrong > 0 || load.received == 0;
}

}  // namespace

Result<Field> Field::gather(std::span<const Kind> kinds, size_t names,
                            const std::optional<Endpoint>& upstream, Report& report) {
  Field field(TRY(TempDir::make()));
  for (const auto& kind : kinds) {
    const std::string directory = field.directory_ / kind.name;
    std::filesystem::create_directory(directory);
    const Task task{.names = names,
                    .upstream = upstream,
                    .directory = directory,
                    .endpoint = {*Address::parse("127.0.0.1"), next_port()}};
    auto server = kind.start(task);
    if (!server) return within(kind.name, std::move(server).error());
    if (kind.role != Role::limit) {
      const auto answered = wait_for_answer(task.endpoint, peer_name(names - 1),
                                            peer_address(names - 1), kStartPatience);
      if (!answered) {
        report.remark(std::string(kind.name) + ": left out: " + answered.error().what);
        continue;
      }
    }
    field.contestants_.emplace_back(kind, std::move(*server));
  }
  return field;
}

Result<void> Field::compete(const Effort& effort, const Questions& questions,
                            Pressure pressure, bool tcp, Report& report) {
  pressure.seconds = effort.seconds;
  for (auto& c : contestants_)
    c.cpu.clear(), c.p50.clear(), c.p99.clear(), c.rate.clear();
  for (size_t round = 0; round < effort.rounds; ++round)
    for (size_t i = 0; i < contestants_.size(); ++i) {
      auto& c = contestants_[(round + i) % contestants_.size()];
      const double before = TRY(c.server.cpu());
      auto load = (tcp ? load_tcp : load_udp)(c.server.endpoint(), questions, pressure);
      if (!load) return within(c.name, std::move(load).error());
      const double spent = TRY(c.server.cpu()) - before;
      if (is_late(*load) && c.role != Role::limit)
        report.remark(fmt::format("{}: of {} questions {} were lost, {} answered wrongly",
                                  c.name, load->sent, load->lost, load->wrong));
      const auto received = static_cast<double>(std::max<uint64_t>(load->received, 1));
      c.cpu.push_back(spent / received);
      c.p50.push_back(load->p50);
      c.p99.push_back(load->p99);
      c.rate.push_back(received / load->seconds);
    }
  return {};
}

void Field::tell(const std::string& measure, Report& report) const {
  std::vector<Series> cpu;
  for (const auto& c : contestants_) cpu.push_back({c.name, c.cpu});
  report.add(measure + ": CPU for each", cpu);
  for (const auto& c : contestants_)
    report.add(measure + ": answers a second", c.name, Unit::count, median(c.rate));
  for (const auto& c : contestants_)
    report.add(measure + ": p50", c.name, Unit::seconds, median(c.p50));
  for (const auto& c : contestants_)
    report.add(measure + ": p99", c.name, Unit::seconds, median(c.p99));
}

const Contestant* Field::find(std::string_view name) const {
  const auto at = std::ranges::find(contestants_, name, &Contestant::name);
  return at == contestants_.end() ? nullptr : &*at;
}

Series Field::cpu(std::string_view name) const {
  const auto* c = find(name);
  return {std::string(name), c ? c->cpu : std::vector<double>{}};
}

void ratio_goal(Report& report, const Field& field, const std::string& id,
                const std::string& what, const char* baseline, double at_most) {
  const auto *ours = field.find("wigeon"), *other = field.find(baseline);
  if (!ours || !other) return report.remark(id + ": " + what + ": not there");
  const auto each = ratios(field.cpu("wigeon"), field.cpu(baseline));
  auto rounds = middle(each);
  if (const double varied = spread(other->cpu); varied > kSteady) {
    report.remark(fmt::format("{}: {} varied by {:.0f} %: nothing is certain", id,
                              baseline, varied * 100));
    rounds = {std::min(rounds.low, at_most), std::max(rounds.high, at_most * 1.001)};
  }
  report.goal(Goal{.id = id,
                   .what = what,
                   .measured = median(each),
                   .at_most = at_most,
                   .rounds = rounds});
}

}  // namespace wigeon::bench
