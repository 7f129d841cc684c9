// SPDX-License-Identifier: GPL-2.0-or-later
// The keeper with managers and probes of ours; its clock is the loop's.
#include "agent/daemon/host_dns.hh"

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace wigeon::dns::os;
using namespace std::chrono_literals;

namespace {

// Notes what it is told; done at once unless it is slow.
struct FakeManager : HostManager {
  ManagerKind kind{};
  std::vector<std::string>* said = nullptr;
  Events events{};
  std::string note{};
  bool told = false, slow = false, busy = false;

  void want(const HostDns& dns) override {
    if (!events.changing(note)) return;
    told = true;
    said->push_back(std::string(text(kind)) + " told " + dns.servers.at(0).text());
    events.changed();
  }
  void withdraw() override {
    if (slow) {
      busy = true;
      return;
    }
    finish();
  }
  void finish() {
    busy = false;
    said->push_back(std::string(text(kind)) + " withdrawn");
    told = false;
    events.undone(note);
    events.changed();
  }
  [[nodiscard]] bool settled() const override { return !busy; }
  [[nodiscard]] ManagerStatus status() const override { return {.applied = told}; }
  [[nodiscard]] std::vector<Endpoint> originals() const override {
    return {*Endpoint::parse("192.0.2.1:53")};
  }
};

HostDns wish(const char* server = "100.64.0.1") {
  return {.interface = "wt0",
          .servers = {*Address::parse(server)},
          .domains = {{"wigeon.test", false}}};
}

struct Fixture {
  Loop loop = *Loop::open();
  std::vector<std::string> said{}, journal{};
  bool journal_fails = false, slow = false;
  std::map<ManagerKind, FakeManager*> managers{};
  HostDnsKeeper::Parts::ProbeDone probe{};
  int probes = 0;
  std::unique_ptr<HostDnsKeeper> keeper{};

  explicit Fixture(std::vector<std::string> left = {}) : journal(left) {
    HostDnsKeeper::Parts parts;
    parts.make = [this](ManagerKind kind, const auto&, HostManager::Events events) {
      auto m = std::make_unique<FakeManager>();
      m->kind = kind;
      m->said = &said;
      m->slow = slow;
      m->note = std::string(text(kind)) + " wt0";
      m->events = std::move(events);
      managers[kind] = m.get();
      return m;
    };
    parts.probe = [this](const auto&, HostDnsKeeper::Parts::ProbeDone done) {
      ++probes;
      probe = std::move(done);
      return std::make_shared<int>(0);
    };
    HostDnsKeeper::Events events;
    events.changing = [this](const std::string& note) -> Result<void> {
      if (journal_fails) return fail(ENOSPC, "the journal: no space");
      journal.push_back(note);
      return {};
    };
    events.undone = [this](const std::string& note) { std::erase(journal, note); };
    events.changed = [] {};
    keeper =
        std::make_unique<HostDnsKeeper>(loop, std::move(parts), left, std::move(events));
  }
  void run(std::chrono::milliseconds time = 0ms) {
    const auto end = Loop::now() + time;
    do {
      const auto more = loop.run_once(time == 0ms ? 1ms : 20ms);
      REQUIRE(more);
      if (time == 0ms && !*more) return;
    } while (time == 0ms || Loop::now() < end);
  }
  void answer(const std::string& failure) {
    REQUIRE(probe);
    auto done = std::move(probe);
    probe = {};
    done(failure);
    run();
  }
  void choose(ManagerKind kind) {
    keeper->choose({kind, "because"});
    run();
  }
  // As when the resolver says that it is ready.
  void want(const HostDns& dns) {
    keeper->want(dns);
    keeper->probe_again();
  }
  // The host is told by this manager, and take() is empty.
  void tell(ManagerKind kind) {
    choose(kind);
    want(wish());
    answer("");
    take();
  }
  std::vector<std::string> take() { return std::exchange(said, {}); }
};

using Said = std::vector<std::string>;

}  // namespace

TEST_CASE("the host is told when our resolver was seen to answer, and not before") {
  Fixture f;
  f.choose(ManagerKind::systemd);
  f.want(wish());
  f.run();
  CHECK(f.take().empty());
  CHECK_FALSE(f.keeper->settled());
  f.answer("");
  CHECK(f.take() == Said{"systemd told 100.64.0.1"});
  CHECK(f.journal == Said{"systemd wt0"});
  CHECK(f.keeper->settled());
  CHECK(f.keeper->degraded().empty());
}

TEST_CASE(
    "a resolver that does not answer is never given to the host, and status says why") {
  Fixture f;
  f.choose(ManagerKind::file);
  f.want(wish());
  f.answer("no reply");
  CHECK(f.take().empty());
  CHECK(f.journal.empty());
  CHECK(f.keeper->settled());
  REQUIRE(f.keeper->degraded().size() == 1);
  CHECK(f.keeper->degraded()[0].reason ==
        "the host is not told about our resolver: no reply");
  while (!f.probe) f.run(10ms);
  f.answer("");
  CHECK(f.take() == Said{"file told 100.64.0.1"});
}

TEST_CASE("a probe that failed takes the host back, and one that passes tells it again") {
  Fixture f;
  f.tell(ManagerKind::systemd);
  f.keeper->probe_again();
  f.answer("no reply");
  CHECK(f.take() == Said{"systemd withdrawn"});
  CHECK(f.journal.empty());
  while (!f.probe) f.run(10ms);
  f.answer("");
  CHECK(f.take() == Said{"systemd told 100.64.0.1"});
}

TEST_CASE("what an earlier run told the host stays until the first verdict") {
  Fixture f({"systemd wt0"});
  f.want(wish());
  f.choose(ManagerKind::systemd);
  CHECK(f.take().empty());
  SECTION("our resolver answers: told again, nothing is withdrawn") {
    f.answer("");
    CHECK(f.take() == Said{"systemd told 100.64.0.1"});
  }
  SECTION("it does not: withdrawn") {
    f.answer("no reply");
    CHECK(f.take() == Said{"systemd withdrawn"});
    CHECK(f.journal.empty());
  }
}

TEST_CASE("another manager is told only after the old one was withdrawn") {
  Fixture f;
  f.slow = true;
  f.tell(ManagerKind::file);
  f.slow = false;
  f.choose(ManagerKind::systemd);
  f.run(kChoiceSettles / 2);
  CHECK_FALSE(f.managers.at(ManagerKind::file)->busy);
  f.run(kChoiceSettles);
  CHECK(f.managers.at(ManagerKind::file)->busy);
  CHECK(f.take().empty());
  f.managers.at(ManagerKind::file)->finish();
  f.run();
  CHECK(f.take() == Said{"file withdrawn", "systemd told 100.64.0.1"});
  CHECK(f.journal == Said{"systemd wt0"});
}

TEST_CASE("new addresses are asked before the host hears of them") {
  Fixture f;
  f.tell(ManagerKind::systemd);
  f.want(wish("100.64.0.2"));
  f.run();
  CHECK(std::ranges::count(f.said, "systemd told 100.64.0.2") == 0);
  f.answer("");
  CHECK(f.said.back() == "systemd told 100.64.0.2");
}

TEST_CASE("withdrawing leaves nothing and asks nobody any more") {
  Fixture f;
  f.tell(ManagerKind::systemd);
  f.keeper->withdraw();
  CHECK(f.take() == Said{"systemd withdrawn"});
  CHECK(f.keeper->withdrawn());
  const int probes = f.probes;
  f.run(1500ms);
  CHECK(f.probes == probes);
}

TEST_CASE("without a durable note nothing is done") {
  Fixture f;
  f.journal_fails = true;
  f.choose(ManagerKind::systemd);
  f.want(wish());
  f.answer("");
  CHECK(f.take().empty());
  CHECK(f.keeper->withdrawn());
}

TEST_CASE("a map without names for the host takes back what was told") {
  Fixture f;
  f.tell(ManagerKind::systemd);
  auto nothing = wish();
  nothing.domains.clear();
  f.keeper->want(nothing);
  f.run();
  CHECK(f.take() == Said{"systemd withdrawn"});
}

TEST_CASE("a manager that is away for a moment is still the manager") {
  Fixture f;
  f.tell(ManagerKind::systemd);
  f.choose(ManagerKind::none);
  f.run(1s);
  f.choose(ManagerKind::systemd);
  f.run(kChoiceSettles);
  CHECK(f.take().empty());
}

TEST_CASE("servers that nobody says are ready are asked after a while") {
  Fixture f;
  f.choose(ManagerKind::systemd);
  f.keeper->want(wish());
  f.run();
  CHECK(f.probes == 0);
  while (!f.probe) f.run(10ms);
  f.answer("");
  CHECK(f.take() == Said{"systemd told 100.64.0.1"});
}
