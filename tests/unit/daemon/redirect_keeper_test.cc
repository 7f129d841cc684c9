// SPDX-License-Identifier: GPL-2.0-or-later
// The keeper with rungs and probes of ours; its clock is the loop's.
#include "agent/daemon/redirect_keeper.hh"

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

using Said = std::vector<std::string>;

struct FakeRungs {
  Said said{};
  std::map<Rung, std::string> refuse{};  // lead() fails with it
  bool sticks = false;                   // remove() fails
};

struct FakeRedirect final : Redirect {
  FakeRedirect(Rung r, FakeRungs& all) : rung(r), rungs(all) {}
  Rung rung;
  FakeRungs& rungs;

  void say(const std::string& what) {
    rungs.said.push_back(std::string(text(rung)) + " " + what);
  }
  Result<void> lead(const std::vector<Address>&,
                    const dns::ListenerSockets& sockets) override {
    if (rungs.refuse.contains(rung)) return fail(EPERM, rungs.refuse[rung]);
    say(sockets.empty() ? "again" : "leads");
    return {};
  }
  Result<void> drain() override {
    say("drains");
    return {};
  }
  Result<void> remove() override {
    if (rungs.sticks) return fail(EBUSY, "it sticks");
    say("gone");
    return {};
  }
  Result<RedirectAbout> about() override {
    return RedirectAbout{
        .attached = "here", .program_id = 7, .tag = "ab", .counters = {}};
  }
};

const std::vector<Address> kOwn = {*Address::parse("100.64.0.1")};
const std::vector<Endpoint> kAt53 = {*Endpoint::parse("100.64.0.1:53")};
const Endpoint kListening = *Endpoint::parse("127.0.0.1:5053");

struct Fixture {
  Loop loop = *Loop::open();
  FakeRungs rungs{};
  Said journal{}, undone{}, hung{};
  bool journal_fails = false;
  int another = 0, probes = 0;
  std::vector<Endpoint> asked{};
  RedirectKeeper::Parts::ProbeDone probe{};
  std::optional<RedirectKeeper> keeper{};

  explicit Fixture(const Said& left = {}) : journal(left) {
    RedirectKeeper::Parts parts;
    parts.make = [this](Rung r) { return std::make_unique<FakeRedirect>(r, rungs); };
    parts.note = [](Rung r) { return std::string(text(r)) + " pins"; };
    parts.undo = [this](const std::string& note) -> Result<void> {
      undone.push_back(note);
      return {};
    };
    parts.probe = [this](const auto& servers, RedirectKeeper::Parts::ProbeDone done) {
      ++probes;
      asked = servers;
      probe = std::move(done);
      return std::make_shared<int>(0);
    };
    RedirectKeeper::Events events;
    events.changing = [this](const std::string& note) -> Result<void> {
      if (journal_fails) return fail(ENOSPC, "the journal: no space");
      journal.push_back(note);
      return {};
    };
    events.undone = [this](const std::string& note) { std::erase(journal, note); };
    events.another_rung = [this] {
      ++another;
      if (keeper->rung()) open();
    };
    events.hangs = [this](const std::string& why) { hung.push_back(why); };
    events.changed = [] {};
    keeper.emplace(loop, std::move(parts), left, std::move(events));
  }

  void run(std::chrono::milliseconds time = 0ms) {
    const auto end = Loop::now() + time;
    do {
      const auto more = loop.run_once(time == 0ms ? 1ms : 20ms);
      REQUIRE(more);
      if (time == 0ms && !*more) return;
    } while (time == 0ms || Loop::now() < end);
  }
  // As the resolver does for the rung, at once.
  void open() {
    dns::ListenerSockets sockets;
    sockets.push_back({dns::Transport::udp, kListening, {}});
    keeper->opened(*keeper->rung(), sockets);
    keeper->ready();
  }
  void want(DnsRedirect setting) {
    keeper->want(setting, kOwn);
    if (keeper->rung()) open();
  }
  void answer(const std::string& at_53, const std::string& direct = "") {
    while (!probe) run(10ms);
    std::vector<dns::os::ProbeResult> results;
    for (const auto& e : asked)
      results.push_back({dns::Transport::udp, e, e == kListening ? direct : at_53});
    auto done = std::move(probe);
    probe = {};
    done(results);
    run();
  }
  void fail_probes(const std::string& direct = "") {
    for (unsigned i = 0; i < kRungProbesLost; ++i) answer("no reply", direct);
  }
  Said take() { return std::exchange(rungs.said, {}); }
  DnsStatus status() {
    DnsStatus s;
    keeper->fill(s);
    return s;
  }
};

}  // namespace

TEST_CASE("the first rung is noted, attached, asked, and shown") {
  Fixture f;
  f.want(DnsRedirect::automatic);
  CHECK(f.take() == Said{"sk_lookup leads"});
  CHECK(f.journal == Said{"sk_lookup pins"});
  CHECK(f.asked == kAt53);
  CHECK_FALSE(f.keeper->settled());
  f.answer("");
  CHECK(f.keeper->settled());
  CHECK(f.keeper->degraded().empty());
  const auto s = f.status();
  CHECK(s.redirect == "sk_lookup");
  CHECK(s.redirect_program == 7);
  CHECK(s.redirect_attached == "here");
}

TEST_CASE("a rung that is refused leaves no note, and the next one is taken") {
  Fixture f;
  f.rungs.refuse[Rung::sk_lookup] = "EPERM: no";
  f.want(DnsRedirect::automatic);
  f.run();
  CHECK(f.another == 1);
  CHECK(f.take() == Said{"sk_lookup gone", "tc leads"});
  CHECK(f.journal == Said{"tc pins"});
  f.answer("");
  CHECK(f.status().redirect == "tc");
  REQUIRE(f.status().redirect_refused.size() == 1);
  CHECK(f.status().redirect_refused[0].reason == "EPERM: no");
}

TEST_CASE("without a note in the journal nothing is attached") {
  Fixture f;
  f.journal_fails = true;
  f.want(DnsRedirect::tc);
  f.run();
  CHECK(f.take().empty());
  CHECK_FALSE(f.keeper->rung());
  REQUIRE(f.keeper->degraded().size() == 1);
  CHECK(f.keeper->degraded()[0].reason.find("no space") != std::string::npos);
}

TEST_CASE(
    "after a failed probe it is attached again; a rung that still fails is left, "
    "drained and then taken away") {
  Fixture f;
  f.want(DnsRedirect::automatic);
  f.answer("");
  f.take();
  std::string said = "nothing";
  const auto asked = f.keeper->ask(kAt53, [&](const std::string& why) { said = why; });
  f.answer("no reply");
  CHECK(f.take() == Said{"sk_lookup again"});
  f.answer("no reply");
  f.take();
  CHECK(f.asked.size() == 2);
  f.answer("no reply");
  CHECK(f.take() == Said{"tc leads", "sk_lookup drains"});
  CHECK(said == "nothing");  // another rung may do
  f.answer("");
  CHECK(said.empty());
  CHECK(f.journal == Said{"sk_lookup pins", "tc pins"});
  CHECK(f.status().redirect == "tc");
}

TEST_CASE("a probe that fails once does not leave the rung") {
  Fixture f;
  f.want(DnsRedirect::automatic);
  f.answer("");
  f.keeper->ready();
  f.answer("no reply");
  f.answer("");
  CHECK(f.status().redirect == "sk_lookup");
  CHECK(f.another == 0);
}

TEST_CASE(
    "a resolver that does not answer where it listens is said to hang, and no rung "
    "is left for it") {
  Fixture f;
  f.want(DnsRedirect::automatic);
  f.answer("");
  std::string said;
  const auto asked = f.keeper->ask(kAt53, [&](const std::string& why) { said = why; });
  f.fail_probes("no reply");
  CHECK(f.another == 0);
  CHECK(f.hung.size() == 1);
  CHECK(said.find("no reply") != std::string::npos);
}

TEST_CASE("when no rung works, whoever asks is told all reasons") {
  Fixture f;
  f.rungs.refuse = {
      {Rung::sk_lookup, "no A"}, {Rung::tc, "no B"}, {Rung::nftables, "no C"}};
  f.want(DnsRedirect::automatic);
  std::string said;
  const auto asked = f.keeper->ask(kAt53, [&](const std::string& why) { said = why; });
  f.run(50ms);
  CHECK(said.find("sk_lookup: no A; tc: no B; nftables: no C") != std::string::npos);
  CHECK(f.journal.empty());
  CHECK(f.keeper->degraded().size() == 1);
  CHECK(f.probes == 0);
}

TEST_CASE("what an earlier run left is taken over, or away when it is another rung") {
  Fixture f({"tc pins"});
  f.want(DnsRedirect::tc);
  CHECK(f.take() == Said{"tc leads"});
  CHECK(f.journal == Said{"tc pins"});

  Fixture g({"tc pins"});
  g.want(DnsRedirect::automatic);
  g.run(20ms);
  CHECK(g.undone == Said{"tc pins"});
  CHECK(g.journal == Said{"sk_lookup pins"});

  Fixture h({"tc elsewhere"});
  CHECK(h.undone == Said{"tc elsewhere"});
  CHECK(h.journal.empty());
}

TEST_CASE("withdrawing takes all away, and says what stays") {
  Fixture f;
  f.want(DnsRedirect::automatic);
  f.answer("");
  f.rungs.sticks = true;
  CHECK_FALSE(f.keeper->withdraw());
  CHECK(f.journal == Said{"sk_lookup pins"});
  REQUIRE(f.keeper->degraded().size() == 1);
  CHECK(f.keeper->degraded()[0].reason.find("it sticks") != std::string::npos);
  f.rungs.sticks = false;
  CHECK(f.keeper->withdraw());  // by the note, since the object is gone
  CHECK(f.undone == Said{"sk_lookup pins"});
  CHECK(f.journal.empty());
  CHECK(f.keeper->degraded().empty());
}

TEST_CASE("whoever asked and went away is not told") {
  Fixture f;
  f.want(DnsRedirect::automatic);
  bool told = false;
  f.keeper->ask(kAt53, [&](const std::string&) { told = true; });
  f.run(20ms);
  f.answer("");
  CHECK_FALSE(told);
}

TEST_CASE("bind attaches nothing and is asked all the same") {
  Fixture f;
  f.want(DnsRedirect::bind);
  CHECK(f.take().empty());
  CHECK(f.journal.empty());
  f.answer("");
  CHECK(f.status().redirect == "bind");
}
