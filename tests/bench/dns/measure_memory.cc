// SPDX-License-Identifier: GPL-2.0-or-later
// Memory and the time until the first answer, of servers started afresh.
#include <fmt/format.h>

#include "tests/bench/dns/measures.hh"

namespace wigeon::bench {

Result<void> measure_memory(const Effort& effort, Report& report) {
  const size_t few = effort.names.front(), many = effort.names.back();
  std::vector<Kind> kinds = local_kinds();
  std::erase_if(kinds, [](const Kind& k) { return k.role == Role::limit; });
  std::vector<std::pair<std::string, uint64_t>> before;
  for (const size_t names : {few, many}) {
    auto field = TRY(Field::gather(kinds, names, {}, report));
    TRY(field.compete({1, effort.seconds}, random_peers(names), {}, false, report));
    for (auto& c : field.all()) {
      const auto m = TRY(c.server.memory());
      report.add(fmt::format("{} names: PSS", names), c.name, Unit::bytes,
                 static_cast<double>(m.pss));
      if (names == few) {
        before.emplace_back(c.name, m.anonymous);
        continue;
      }
      for (const auto& [name, had] : before) {
        if (name != c.name) continue;
        const double each =
            (static_cast<double>(m.anonymous) - static_cast<double>(had)) /
            static_cast<double>(many - few);
        report.add("memory of a name", c.name, Unit::bytes, each);
        if (c.role == Role::ours)
          report.goal(Goal{.id = "D9",
                           .what = fmt::format("memory of a name, {} names", many),
                           .unit = Unit::bytes,
                           .measured = each,
                           .at_most = 80});
      }
    }
  }
  return {};
}

Result<void> measure_starting(const Effort& effort, Report& report) {
  const auto directory = TRY(TempDir::make());
  uint16_t port = 6000;
  for (const size_t names : {effort.names.front(), effort.names.back()}) {
    std::vector<Contender> contenders;
    for (const auto& kind : local_kinds()) {
      if (kind.role == Role::limit) continue;
      contenders.push_back(
          {kind.name, [&, names, start = kind.start]() -> Result<double> {
             const Task task{.names = names,
                             .directory = directory / "",
                             .endpoint = {*Address::parse("127.0.0.1"), port++}};
             const auto server = TRY(start(task));
             TRY(wait_for_answer(task.endpoint, peer_name(names - 1),
                                 peer_address(names - 1), 20));
             return now() - server.started();
           }});
    }
    const auto series = TRY(alternate(effort.rounds, contenders));
    report.add(fmt::format("{} names: start to first answer", names), series);
    for (const auto& s : series)
      if (s.name == "dnsmasq")
        report.goal("S1", fmt::format("ours / dnsmasq, start, {} names", names),
                    find(series, "wigeon"), s,
                    names == effort.names.front() ? 0.75 : 0.25);
  }
  return {};
}

}  // namespace wigeon::bench
