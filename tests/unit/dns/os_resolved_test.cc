// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/resolved.hh"

#include <catch2/catch.hpp>
#include <map>

#include "tests/harness/bus_service.hh"

using namespace wigeon;
using namespace wigeon::dns::os;
using namespace std::chrono_literals;

namespace {

constexpr const char* kService = "org.freedesktop.resolve1";
constexpr const char* kRoot = "/org/freedesktop/resolve1";
constexpr int kOurs = 1;  // lo, so that a note names a link that is there

// Answers as systemd-resolved 252 does, on a connection of its own.
class FakeResolved {
 public:
  std::string servers{}, domains{};  // of our link, as texts
  bool default_route = true;
  std::map<std::string, std::string> modes{{"DNSSEC", "no"}, {"LLMNR", "yes"}};
  std::vector<std::string> calls{};
  std::string refuses{};  // a method
  bool silent = false, deaf = false, without_link = false;

  FakeResolved(Loop& loop, const std::string& address)
      : service_(loop, address, kService, kRoot, answer, this) {}
  void change_servers(const std::string& to) {
    servers = to;
    REQUIRE(sd_bus_emit_signal(service_.raw(), kRoot, "org.freedesktop.DBus.Properties",
                               "PropertiesChanged", "sa{sv}as",
                               "org.freedesktop.resolve1.Manager", 0, 0) >= 0);
  }
  [[nodiscard]] std::string take_calls() {
    std::string all;
    for (const auto& c : std::exchange(calls, {})) all += c + ' ';
    return all;
  }

 private:
  static int put_servers(sd_bus_message* m, const std::string& text) {
    const auto a = Address::parse(text);
    if (!a) return sd_bus_message_append(m, "a(iay)", 0);
    const auto b = a->bytes();
    return sd_bus_message_append(m, "a(iay)", 1, AF_INET, 4, b[0], b[1], b[2], b[3]);
  }
  int put_link(sd_bus_message* m) const {
    sd_bus_message_open_container(m, 'a', "{sv}");
    sd_bus_message_open_container(m, 'e', "sv");
    sd_bus_message_append(m, "s", "DNS");
    sd_bus_message_open_container(m, 'v', "a(iay)");
    put_servers(m, servers);
    sd_bus_message_close_container(m);
    sd_bus_message_close_container(m);
    if (domains.empty())
      sd_bus_message_append(m, "{sv}", "Domains", "a(sb)", 0);
    else
      sd_bus_message_append(m, "{sv}", "Domains", "a(sb)", 1, domains.c_str(), 1);
    sd_bus_message_append(m, "{sv}", "DefaultRoute", "b", default_route);
    for (const auto& [key, mode] : modes)
      sd_bus_message_append(m, "{sv}", key.c_str(), "s", mode.c_str());
    return sd_bus_message_close_container(m);
  }
  int get_all(sd_bus_message* m) {
    sd_bus_message* made = nullptr;
    sd_bus_message_new_method_return(m, &made);
    const Owned<sd_bus_message, sd_bus_message_unref> reply(made);
    const std::string path = sd_bus_message_get_path(m);
    if (path == kRoot)
      sd_bus_message_append(made, "a{sv}", 1, "DNS", "a(iiay)", 2, 2, AF_INET, 4, 192, 0,
                            2, 53, 3, AF_INET, 4, 10, 0, 0, 53);
    else if (path == std::string(kRoot) + "/link/_31" && !without_link)
      put_link(made);
    else if (path == std::string(kRoot) + "/link/_32")
      sd_bus_message_append(made, "a{sv}", 3, "DNS", "a(iay)", 1, AF_INET, 4, 192, 0, 2,
                            53, "Domains", "a(sb)", 0, "DefaultRoute", "b", 1);
    else if (path == std::string(kRoot) + "/link/_33")
      sd_bus_message_append(made, "a{sv}", 3, "DNS", "a(iay)", 1, AF_INET, 4, 10, 0, 0,
                            53, "Domains", "a(sb)", 0, "DefaultRoute", "b", 0);
    else
      return sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.UnknownObject",
                                        "no");
    return sd_bus_send(nullptr, made, nullptr);
  }
  static int answer(sd_bus_message* m, void* data, sd_bus_error*) {
    auto& self = *static_cast<FakeResolved*>(data);
    const std::string member = sd_bus_message_get_member(m);
    if (self.silent) return 1;
    if (member == "GetAll") return self.get_all(m);
    self.calls.push_back(member);
    if (member == self.refuses)
      return sd_bus_reply_method_errorf(m, "org.freedesktop.resolve1.LinkBusy",
                                        "managed");
    int index = 0;
    if (member != "FlushCaches") REQUIRE(sd_bus_message_read(m, "i", &index) >= 0);
    if (index != 0) CHECK(index == kOurs);
    if (!self.deaf) self.set(member, m);
    return sd_bus_reply_method_return(m, "");
  }
  void set(const std::string& member, sd_bus_message* m) {
    if (member == "RevertLink") {
      servers = domains = "";
    } else if (member == "SetLinkDNS") {
      const void* bytes = nullptr;
      size_t size = 0;
      int family = 0;
      sd_bus_message_enter_container(m, 'a', "(iay)");
      sd_bus_message_enter_container(m, 'r', "iay");
      sd_bus_message_read(m, "i", &family);
      REQUIRE(sd_bus_message_read_array(m, 'y', &bytes, &size) >= 0);
      servers = Address::from_bytes({static_cast<const uint8_t*>(bytes), size})->text();
    } else if (member == "SetLinkDomains") {
      const char* name = "";
      int routes = 0;
      sd_bus_message_enter_container(m, 'a', "(sb)");
      REQUIRE(sd_bus_message_read(m, "(sb)", &name, &routes) >= 0);
      CHECK(routes == 1);
      domains = name;
    } else if (member == "SetLinkDefaultRoute") {
      int on = 0;
      REQUIRE(sd_bus_message_read(m, "b", &on) >= 0);
      default_route = on != 0;
    } else if (member != "FlushCaches") {
      modes[member.substr(sizeof "SetLink" - 1)] = "no";
    }
  }

  BusService service_;
};

struct Site : BusSite {
  std::optional<FakeResolved> fake{};
  std::unique_ptr<Bus> bus{};
  std::optional<Resolved> resolved{};
  std::vector<std::string> notes{};
  bool journal_full = false;

  // patience: with a service that is silent.
  explicit Site(std::optional<std::string> left = std::nullopt,
                std::chrono::milliseconds patience = 10s) {
    REQUIRE(daemon.start());
    fake.emplace(loop, daemon.address());
    bus = connect({.call_limit = patience});
    resolved.emplace(loop, *bus, std::move(left),
                     HostManager::Events{
                         .changing = [this](const std::string& n) -> Result<void> {
                           if (journal_full) return fail(ENOSPC, "no space");
                           notes.push_back("+ " + n);
                           return {};
                         },
                         .undone = [this](const auto& n) { notes.push_back("- " + n); }});
  }
  bool applied() {
    return until([&] { return resolved->settled() && resolved->status().applied; });
  }
  bool says(const std::string& part) {
    return until([&] { return resolved->status().failure.contains(part); });
  }
};

HostDns wanted(const char* server = "100.64.0.1") {
  return {.interface = "lo",
          .index = IfIndex{kOurs},
          .servers = {*Address::parse(server)},
          .domains = {{.name = "corp.example"}}};
}

}  // namespace

TEST_CASE("what differs is noted, written, read back, and written no more") {
  Site s;
  s.resolved->want(wanted());
  CHECK(s.applied());
  CHECK(s.fake->take_calls() ==
        "SetLinkLLMNR SetLinkDefaultRoute SetLinkDomains SetLinkDNS FlushCaches ");
  CHECK(s.notes == std::vector<std::string>{"+ systemd 1 lo"});
  CHECK(s.resolved->originals() == std::vector{*Endpoint::parse("192.0.2.53:53")});
  s.resolved->want(wanted());
  s.resolved->want(wanted("100.64.0.2"));
  CHECK_FALSE(s.resolved->settled());
  CHECK(s.applied());
  CHECK(s.fake->take_calls() == "SetLinkDNS FlushCaches ");
  CHECK(s.notes.size() == 1);
  CHECK(s.resolved->status().repairs == 0);
}

TEST_CASE("withdrawing reverts the link and says so, also one that is gone") {
  Site s("systemd 1 lo");
  s.resolved->withdraw();
  CHECK(s.until([&] { return !s.notes.empty(); }));
  CHECK(s.notes == std::vector<std::string>{"- systemd 1 lo"});
  CHECK(s.fake->take_calls() == "RevertLink FlushCaches ");
  s.resolved->withdraw();
  CHECK(s.until([&] { return s.resolved->settled(); }));
  CHECK(s.fake->take_calls().empty());
}

TEST_CASE("what an earlier run did stays until it is wanted or withdrawn") {
  Site s("systemd 1 lo");
  CHECK(s.until([&] { return !s.resolved->originals().empty(); }));
  CHECK(s.fake->take_calls().empty());
  s.resolved->want(wanted());
  CHECK(s.applied());
  CHECK(s.notes.empty());
}

TEST_CASE("nothing is written that cannot be noted") {
  Site s;
  s.journal_full = true;
  s.resolved->want(wanted());
  CHECK(s.says("noting it: no space"));
  CHECK(s.fake->take_calls().empty());
  s.journal_full = false;
  CHECK(s.applied());
}

TEST_CASE(
    "somebody who changes it back is put right five times a minute, then it is said") {
  Site s;
  s.resolved->want(wanted());
  REQUIRE(s.applied());
  for (unsigned i = 1; i <= Fights::kMost; ++i) {
    s.fake->change_servers("192.0.2.99");
    REQUIRE(s.until([&] { return s.resolved->status().repairs == i && s.applied(); }));
  }
  s.fake->change_servers("192.0.2.99");
  CHECK(s.says("somebody keeps changing servers of lo in systemd-resolved"));
  CHECK_FALSE(s.resolved->status().applied);
  CHECK(s.fake->servers == "192.0.2.99");
  CHECK(s.resolved->status().repairs == Fights::kMost);
}

TEST_CASE("a restart is no repair") {
  Site s;
  s.resolved->want(wanted());
  REQUIRE(s.applied());
  s.fake.reset();
  CHECK(s.says("systemd-resolved is not running"));
  s.fake.emplace(s.loop, s.daemon.address());
  CHECK(s.until([&] { return s.fake->servers == "100.64.0.1"; }));
  CHECK(s.applied());
  CHECK(s.resolved->status().repairs == 0);
}

TEST_CASE("modes that are refused are notes, other refusals failures") {
  Site s;
  s.fake->refuses = "SetLinkLLMNR";
  s.resolved->want(wanted());
  CHECK(s.applied());
  CHECK(s.resolved->status().notes ==
        std::vector<std::string>{
            "systemd-resolved does not let LLMNR be turned off for lo"});
  s.fake->refuses = "SetLinkDNS";
  s.resolved->want(wanted("100.64.0.2"));
  CHECK(s.says("setting servers of lo: org.freedesktop.resolve1.LinkBusy: managed"));
  s.fake->refuses.clear();
  CHECK(s.applied());
}

TEST_CASE("what it says that it took and did not is a failure, not written for ever") {
  Site s;
  s.fake->deaf = true;
  s.resolved->want(wanted());
  CHECK(s.says("systemd-resolved has not taken"));
  CHECK(s.fake->calls.size() == 5);
}

TEST_CASE(
    "a link that is not there yet, a silent service and no bus are failures in time") {
  Site s(std::nullopt, 200ms);
  s.fake->without_link = true;
  s.resolved->want(wanted());
  CHECK(s.says("reading lo: org.freedesktop.DBus.Error.UnknownObject"));
  s.fake->without_link = false;
  CHECK(s.applied());
  s.fake->silent = true;
  s.resolved->want(wanted("100.64.0.2"));
  CHECK(s.says("reading its settings"));
  s.fake->silent = false;
  CHECK(s.applied());
  s.daemon.stop();
  CHECK(s.says("no message bus"));
}

TEST_CASE("what is wanted or withdrawn in the middle of a round takes its place") {
  Site s;
  s.resolved->want(wanted());
  REQUIRE(s.until([&] { return !s.fake->calls.empty(); }));
  s.resolved->withdraw();
  CHECK(s.until([&] { return s.notes.size() == 2 && s.resolved->settled(); }));
  CHECK(s.fake->servers.empty());
  s.resolved->want(wanted());
  REQUIRE(s.until([&] { return !s.fake->calls.empty(); }));
  s.resolved->want(wanted("100.64.0.3"));
  CHECK(s.applied());
  CHECK(s.fake->servers == "100.64.0.3");
}

TEST_CASE("a note is undone without a daemon, one of a link that is gone needs no bus") {
  CHECK(undo_resolved("systemd 9999 wt9", 1s, "unix:path=/nowhere"));
  CHECK_FALSE(undo_resolved("systemd wt0", 1s, "unix:path=/nowhere"));
  const auto gone = undo_resolved("systemd 1 lo", 100ms, "unix:path=/nowhere");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().what.starts_with("no message bus: "));
}
