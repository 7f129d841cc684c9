// SPDX-License-Identifier: GPL-2.0-or-later
// All names replaced, and one, while 10,000 questions a second come in.
#include <fmt/format.h>

#include <algorithm>

#include "tests/bench/dns/measures.hh"

namespace wigeon::bench {
namespace {

constexpr double kRate = 10'000, kSeconds = 1.5;

}  // namespace

Result<void> measure_replacing(const Effort& effort, Report& report) {
  const size_t names = effort.names.back();
  std::vector<Kind> kinds = local_kinds();
  std::erase_if(kinds, [](const Kind& k) {
    return k.role == Role::peer || std::string_view(k.name) == "techo";
  });
  auto field = TRY(Field::gather(kinds, names, {}, report));
  const auto* ours = field.find("wigeon");
  const auto* echo = field.find("echo");
  if (!ours || !echo) return fail(ENOENT, "not both are there");
  const auto questions = random_peers(names);
  Series beyond{"stall beyond echo's"}, stall{"wigeon"}, limit{"echo"};
  Series quiet{"nothing replaced"}, beside{"nothing, beside a nice 10 loop"};
  Series cpu{"wigeon"};
  uint64_t lost = 0, sent = 0;
  uint32_t generation = 1;
  for (unsigned round = 0; round < effort.rounds; ++round) {
    const auto next = TRY(sealed_config(names, 1 + round % 3));
    const auto echoed =
        TRY(load_steadily(echo->server.endpoint(), questions, kRate, kSeconds, 1, [] {}));
    const auto still =
        TRY(load_steadily(ours->server.endpoint(), questions, kRate, kSeconds, 1, [] {}));
    std::optional<Server> burner = TRY(start_burner());
    const auto beside_it =
        TRY(load_steadily(ours->server.endpoint(), questions, kRate, kSeconds, 1, [] {}));
    burner.reset();
    const double before = TRY(ours->server.cpu());
    Result<void> given;
    const auto load =
        TRY(load_steadily(ours->server.endpoint(), questions, kRate, kSeconds, 0.3, [&] {
          given = configure(ours->server, next.get(), ++generation);
        }));
    TRY(given);
    cpu.seconds.push_back(TRY(ours->server.cpu()) - before);
    TRY(wait_for_answer(ours->server.endpoint(), peer_name(1),
                        peer_address(1, 1 + round % 3), 1));
    limit.seconds.push_back(echoed.stall);
    quiet.seconds.push_back(still.stall);
    beside.seconds.push_back(beside_it.stall);
    stall.seconds.push_back(load.stall);
    beyond.seconds.push_back(std::max(0.0, load.stall - echoed.stall));
    lost += load.lost;
    sent += load.sent;
  }
  const auto what = fmt::format("{} names replaced, 10000 questions a second", names);
  report.add(what + ": longest wait", std::vector{limit, quiet, beside, stall});
  report.add(what + ": CPU", std::vector{cpu});
  report.add(what + ": lost of " + std::to_string(sent), "wigeon", Unit::count,
             static_cast<double>(lost));
  report.goal(Goal{.id = "D8",
                   .what = "questions lost",
                   .unit = Unit::count,
                   .measured = static_cast<double>(lost),
                   .at_most = 0});
  report.goal(Goal{.id = "D8",
                   .what = "longest stall beyond echo's",
                   .unit = Unit::seconds,
                   .measured = median(beyond.seconds),
                   .at_most = 1e-3,
                   .rounds = middle(beyond.seconds)});
  return {};
}

}  // namespace wigeon::bench
