// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/firewalld.hh"

#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "tests/harness/bus_service.hh"

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

constexpr const char* kService = "org.fedoraproject.FirewallD1";
constexpr const char* kPath = "/org/fedoraproject/FirewallD1";
constexpr const char* kZone = "org.fedoraproject.FirewallD1.zone";

// Answers as firewalld 1.3 does, on a connection of its own.
class FakeFirewalld {
 public:
  std::map<std::string, std::string> zones{};  // by interface
  std::vector<std::string> calls{};
  bool refuses = false;  // as when polkit does not know its actions
  bool silent = false;

  FakeFirewalld(Loop& loop, const std::string& address)
      : service_(loop, address, kService, kPath, answer, this) {}
  void reload() {
    zones.clear();
    REQUIRE(sd_bus_emit_signal(service_.raw(), kPath, kService, "Reloaded", "") >= 0);
  }
  void move(const std::string& zone, const std::string& interface) {
    zones[interface] = zone;
    REQUIRE(sd_bus_emit_signal(service_.raw(), kPath, kZone, "ZoneOfInterfaceChanged",
                               "ss", zone.c_str(), interface.c_str()) >= 0);
  }
  void take_out(const std::string& interface) {
    const auto zone = zones[interface];
    zones.erase(interface);
    REQUIRE(sd_bus_emit_signal(service_.raw(), kPath, kZone, "InterfaceRemoved", "ss",
                               zone.c_str(), interface.c_str()) >= 0);
  }
  [[nodiscard]] long count(const std::string& call) const {
    return std::ranges::count(calls, call);
  }

 private:
  static int answer(sd_bus_message* m, void* data, sd_bus_error*) {
    auto& self = *static_cast<FakeFirewalld*>(data);
    const std::string member = sd_bus_message_get_member(m);
    const char *a = "", *b = "";
    if (member == "getZoneOfInterface") {
      REQUIRE(sd_bus_message_read(m, "s", &b) >= 0);
      self.calls.push_back("get " + std::string(b));
    } else {
      REQUIRE(sd_bus_message_read(m, "ss", &a, &b) >= 0);
      self.calls.push_back(member + ' ' + a + ' ' + b);
    }
    if (self.silent) return 1;
    if (self.refuses)
      return sd_bus_reply_method_errorf(m, "org.freedesktop.PolicyKit1.Error.Failed",
                                        "Action is not registered");
    const auto at = self.zones.find(b);
    if (member == "getZoneOfInterface")
      return sd_bus_reply_method_return(m, "s",
                                        at == self.zones.end() ? "" : at->second.c_str());
    if (member == "addInterface") {
      if (at != self.zones.end())
        return sd_bus_reply_method_errorf(m, "org.fedoraproject.FirewallD1.Exception",
                                          "ZONE_CONFLICT: '%s' already bound", b);
      self.zones[b] = a;
    } else if (at == self.zones.end()) {
      return sd_bus_reply_method_errorf(m, "org.fedoraproject.FirewallD1.Exception",
                                        "UNKNOWN_INTERFACE: '%s' is not in any zone", b);
    } else {
      self.zones.erase(at);
    }
    return sd_bus_reply_method_return(m, "s", a);
  }

  BusService service_;
};

struct Site : BusSite {
  std::optional<FakeFirewalld> fake{};
  std::unique_ptr<Bus> bus{};
  std::optional<Firewalld> firewalld{};
  std::vector<std::string> notes{};

  // patience: with a firewalld that is silent.
  explicit Site(std::optional<ZoneNote> left = std::nullopt,
                std::chrono::milliseconds patience = 10s) {
    REQUIRE(daemon.start());
    fake.emplace(loop, daemon.address());
    bus = connect({.call_limit = patience});
    firewalld.emplace(
        loop, *bus, std::move(left),
        Firewalld::Events{
            .adding = [this](const ZoneNote& n) -> Result<void> {
              notes.push_back("+ " + n.text());
              return {};
            },
            .gone = [this](const ZoneNote& n) { notes.push_back("- " + n.text()); }});
  }
  bool says(const std::string& part) {
    return until([&] {
      return firewalld->settled() && firewalld->status().running &&
             firewalld->status().sentence.find(part) != std::string::npos;
    });
  }
  void pass_time() {
    const auto end = Loop::now() + 50ms;
    while (Loop::now() < end) (void)loop.run_once(5ms);
  }
};

}  // namespace

TEST_CASE(
    "a routing peer's link is put in zone trusted, and taken out when it is none any "
    "more") {
  Site s;
  s.firewalld->want(true, "wt0");
  CHECK(s.says("put wt0 in zone trusted"));
  CHECK(s.firewalld->status().forwards);
  CHECK(s.fake->zones == std::map<std::string, std::string>{{"wt0", "trusted"}});
  CHECK(s.notes == std::vector<std::string>{"+ trusted wt0"});
  s.pass_time();
  const auto calls = s.fake->calls.size();
  s.firewalld->want(true, "wt0");
  s.pass_time();
  CHECK(s.fake->calls.size() == calls);
  s.firewalld->want(false, "wt0");
  CHECK(s.until([&] { return s.fake->zones.empty(); }));
  CHECK(s.until([&] { return s.notes.size() == 2; }));
  CHECK(s.notes[1] == "- trusted wt0");
  CHECK(s.says(""));
  CHECK(s.firewalld->status().sentence.empty());
}

TEST_CASE("nothing is asked of firewalld unless the host is a routing peer") {
  Site s;
  s.firewalld->want(false, "wt0");
  CHECK(s.says(""));
  s.fake->reload();
  s.pass_time();
  CHECK(s.fake->calls.empty());
}

TEST_CASE("a zone the administrator chose stays and is reported") {
  Site s;
  s.fake->zones["wt0"] = "internal";
  s.firewalld->want(true, "wt0");
  CHECK(s.says("wt0 is in zone internal, which the administrator chose"));
  CHECK_FALSE(s.firewalld->status().forwards);
  s.firewalld->want(false, "wt0");
  CHECK(s.says(""));
  CHECK(s.fake->count("addInterface trusted wt0") == 0);
  CHECK(s.fake->zones["wt0"] == "internal");
  CHECK(s.notes.empty());
}

TEST_CASE("trusted by the administrator's hand is not taken away by ours") {
  Site s;
  s.fake->zones["wt0"] = "trusted";
  s.firewalld->want(true, "wt0");
  CHECK(s.says("in zone trusted already"));
  s.firewalld->want(false, "wt0");
  s.pass_time();
  CHECK(s.fake->zones["wt0"] == "trusted");
  CHECK(s.notes.empty());
}

TEST_CASE("moved to another zone by the administrator while we run, it stays there") {
  Site s;
  s.firewalld->want(true, "wt0");
  CHECK(s.says("put wt0"));
  s.fake->move("dmz", "wt0");
  CHECK(s.says("in zone dmz"));
  CHECK(s.notes == std::vector<std::string>{"+ trusted wt0", "- trusted wt0"});
  s.firewalld->want(false, "wt0");
  s.pass_time();
  CHECK(s.fake->zones["wt0"] == "dmz");
}

TEST_CASE(
    "it is put there again after a reload, a restart of firewalld, and one of the bus") {
  Site s;
  s.firewalld->want(true, "wt0");
  CHECK(s.says("put wt0"));
  s.fake->reload();
  CHECK(s.until([&] { return s.fake->zones.contains("wt0"); }));
  CHECK(s.says("put wt0"));

  s.fake.reset();
  CHECK(s.until([&] { return !s.firewalld->status().running; }));
  CHECK(s.notes.back() == "- trusted wt0");
  s.fake.emplace(s.loop, s.daemon.address());
  CHECK(s.until([&] { return s.fake->zones.contains("wt0"); }));
  CHECK(s.notes.back() == "+ trusted wt0");
  CHECK(s.says("put wt0"));

  s.daemon.stop();
  CHECK(s.until([&] { return !s.firewalld->status().running; }));
  CHECK(s.notes.back() == "+ trusted wt0");  // it may live on without a bus
  s.fake.reset();
  REQUIRE(s.daemon.start());
  s.fake.emplace(s.loop, s.daemon.address());
  CHECK(s.until([&] { return s.fake->zones.contains("wt0"); }));
}

TEST_CASE("taken out by somebody, it is put back, but not more than once a second") {
  Site s;
  s.firewalld->want(true, "wt0");
  CHECK(s.says("put wt0"));
  const auto first = Loop::now();
  s.fake->take_out("wt0");
  CHECK(s.says("somebody takes wt0 out of zone trusted"));
  CHECK_FALSE(s.firewalld->status().forwards);
  CHECK(s.until([&] { return s.fake->zones.contains("wt0"); }));
  CHECK(Loop::now() - first > 500ms);
  CHECK(s.fake->count("addInterface trusted wt0") == 2);
}

TEST_CASE("what an earlier run left is taken over, or back") {
  {
    Site s(ZoneNote{"trusted", "wt0"});
    s.fake->zones["wt0"] = "trusted";
    s.firewalld->want(true, "wt0");
    CHECK(s.says("put wt0 in zone trusted"));
    CHECK(s.fake->count("addInterface trusted wt0") == 0);
    s.firewalld->want(false, "wt0");
    CHECK(s.until([&] { return s.fake->zones.empty(); }));
    CHECK(s.until([&] { return !s.notes.empty(); }));
  }
  Site s(ZoneNote{"trusted", "wt1"});
  s.fake->zones["wt1"] = "trusted";
  s.firewalld->want(true, "wt0");
  CHECK(s.says("put wt0"));
  CHECK(s.fake->zones == std::map<std::string, std::string>{{"wt0", "trusted"}});
  CHECK(s.notes == std::vector<std::string>{"- trusted wt1", "+ trusted wt0"});
}

TEST_CASE("refusals and silence are said, and tried again") {
  Site s(std::nullopt, 200ms);
  s.fake->refuses = true;
  s.firewalld->want(true, "wt0");
  CHECK(s.says("Action is not registered"));
  CHECK_FALSE(s.firewalld->status().forwards);
  s.fake->refuses = false;
  s.fake->silent = true;
  CHECK(s.says("asking for the zone: "));
  s.fake->silent = false;
  CHECK(s.says("put wt0 in zone trusted"));
}

TEST_CASE("a note that cannot be written keeps firewalld as it is") {
  Site s;
  s.firewalld.reset();
  s.firewalld.emplace(s.loop, *s.bus, std::nullopt,
                      Firewalld::Events{.adding = [](const ZoneNote&) -> Result<void> {
                        return fail(ENOSPC, "journal: No space left on device");
                      }});
  s.firewalld->want(true, "wt0");
  CHECK(s.says("noting it: journal: No space left on device"));
  CHECK(s.fake->count("addInterface trusted wt0") == 0);
}

TEST_CASE(
    "without a daemon a note is undone, and without firewalld or bus there is nothing to "
    "undo") {
  MessageBus daemon;
  const ZoneNote note{"trusted", "wt0"};
  CHECK(undo_zone(note, 2s, daemon.address()));
  REQUIRE(daemon.start());
  CHECK(undo_zone(note, 2s, daemon.address()));
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    Loop loop = *Loop::open();
    FakeFirewalld fake(loop, daemon.address());
    fake.zones["wt0"] = "trusted";
    const auto end = Loop::now() + 10s;
    while (fake.count("removeInterface trusted wt0") == 0 && Loop::now() < end)
      (void)loop.run_once(20ms);
    for (int i = 0; i < 5; ++i) (void)loop.run_once(20ms);
    ::_exit(fake.zones.empty() ? 0 : 1);
  }
  // Until the other process has the name, each attempt finds no firewalld and is done.
  int status = 0;
  for (int i = 0; i < 500 && ::waitpid(pid, &status, WNOHANG) == 0; ++i)
    CHECK(undo_zone(note, 2s, daemon.address()));
  CHECK(status == 0);
}

TEST_CASE("a note is two words") {
  CHECK(ZoneNote::parse("trusted wt0") == ZoneNote{"trusted", "wt0"});
  CHECK(ZoneNote{"trusted", "wt.0"}.text() == "trusted wt.0");
  for (const char* bad : {"", " ", "trusted", "trusted ", " wt0", "a b c"})
    CHECK_FALSE(ZoneNote::parse(bad));
}
