// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/names_due.hh"

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

const auto kStart = std::chrono::system_clock::time_point(1'700'000'000s);

NamesWanted wanted(std::initializer_list<std::pair<const char*, bool>> names) {
  NamesWanted all;
  for (const auto& [name, stale] : names) all[{name, 1}] = stale;
  return all;
}

// Looks every `step` seconds; "T name …" for each time that something is asked.
class Run {
 public:
  std::string look(int second, const NamesWanted& names) {
    due_ = names_due(due_.asked, names, kStart + std::chrono::seconds(second));
    std::string asked;
    for (const auto& n : due_.names) asked += " " + n.host;
    return asked.empty() ? "" : std::to_string(second) + asked + "\n";
  }
  std::string every(int step, int from, int to, const NamesWanted& names) {
    std::string all;
    for (int t = from; t <= to; t += step) all += look(t, names);
    return all;
  }
  [[nodiscard]] std::optional<std::chrono::milliseconds> next() const {
    return due_.look;
  }
  [[nodiscard]] size_t remembered() const { return due_.asked.size(); }

 private:
  NamesDue due_{};
};

}  // namespace

TEST_CASE("every name of a new map is asked at once, also of peers with a session") {
  Run run;
  CHECK(run.look(0, wanted({{"a", true}, {"b", false}})) == "0 a b\n");
  CHECK(run.look(1, wanted({{"a", true}, {"b", false}, {"c", false}})) == "1 c\n");
  CHECK(run.look(2, wanted({{"a", true}, {"b", false}, {"c", false}})) == "");
}

TEST_CASE("the name of a peer without session is asked less and less often") {
  Run run;
  CHECK(run.every(1, 0, 1500, wanted({{"a", true}})) ==
        "0 a\n5 a\n15 a\n35 a\n75 a\n155 a\n315 a\n615 a\n915 a\n1215 a\n");
}

TEST_CASE("the name of a peer with a session is not asked again until that ends") {
  Run run;
  CHECK(run.every(1, 0, 20, wanted({{"a", true}})) == "0 a\n5 a\n15 a\n");
  CHECK(run.every(1, 21, 2000, wanted({{"a", false}})) == "");
  CHECK_FALSE(run.next());
  CHECK(run.every(1, 2001, 2030, wanted({{"a", true}})) == "2001 a\n2011 a\n");
}

TEST_CASE("it says when to look again") {
  Run run;
  run.look(0, wanted({{"a", true}, {"b", true}}));
  CHECK(run.next() == 5s);
  run.look(3, wanted({{"a", true}, {"b", true}}));
  CHECK(run.next() == 2s);
  run.look(6, wanted({{"a", true}, {"b", true}, {"c", true}}));
  CHECK(run.next() == 5s);
}

TEST_CASE("names that no map has any more are forgotten") {
  Run run;
  run.look(0, wanted({{"a", true}, {"b", true}}));
  run.look(1, wanted({{"b", true}}));
  CHECK(run.remembered() == 1);
  CHECK(run.look(2, wanted({{"a", true}, {"b", true}})) == "2 a\n");
}

TEST_CASE("a clock that goes back puts no name off") {
  Run run;
  run.look(1000, wanted({{"a", true}}));
  CHECK(run.look(10, wanted({{"a", true}})) == "10 a\n");
}
