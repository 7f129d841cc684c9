// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/bus.hh"

#include <catch2/catch.hpp>

#include "tests/harness/bus_service.hh"

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

constexpr BusMethod kGetId{"org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "GetId"};
constexpr BusMethod kRequestName{"org.freedesktop.DBus", "/org/freedesktop/DBus",
                                 "org.freedesktop.DBus", "RequestName"};
constexpr BusMethod kReleaseName{"org.freedesktop.DBus", "/org/freedesktop/DBus",
                                 "org.freedesktop.DBus", "ReleaseName"};

int no_arguments(sd_bus_message*) { return 0; }

struct Site : BusSite {
  std::unique_ptr<Bus> connect(std::chrono::milliseconds call_limit = 5s) {
    return BusSite::connect({.call_limit = call_limit, .connect_limit = 300ms});
  }
  bool connected(const Bus& bus) {
    return until([&] { return bus.state() == Bus::State::connected; });
  }
};

Bus::Fill name_and_flags(std::string name) {
  return [name = std::move(name)](sd_bus_message* m) {
    return sd_bus_message_append(m, "su", name.c_str(), 0U);
  };
}

}  // namespace

TEST_CASE(
    "without a bus its absence is a state with a reason, and calls fail with ENOTCONN") {
  Site s;
  const auto bus = s.connect();
  CHECK(bus->state() == Bus::State::absent);
  CHECK(bus->why() == "connecting: No such file or directory");
  Error error;
  bool within_call = true;
  const auto call = bus->call(kGetId, no_arguments, [&](const auto& reply) {
    CHECK_FALSE(within_call);
    error = reply.error();
  });
  within_call = false;
  CHECK(s.until([&] { return error.code != 0; }));
  CHECK(error.code == ENOTCONN);
}

TEST_CASE("a bus that appears is connected to, and calls are answered") {
  Site s;
  const auto bus = s.connect();
  REQUIRE(s.daemon.start());
  REQUIRE(s.connected(*bus));
  CHECK(bus->why().empty());
  std::string id, refusal;
  const auto call = bus->call(kGetId, no_arguments, [&](const auto& reply) {
    const char* text = "";
    REQUIRE(sd_bus_message_read(*reply, "s", &text) >= 0);
    id = text;
  });
  const auto refused =
      bus->call({"org.nobody.here", "/", "org.nobody.here", "Do"}, no_arguments,
                [&](const auto& reply) { refusal = reply.error().what; });
  CHECK(s.until([&] { return !id.empty() && !refusal.empty(); }));
  CHECK(id.size() == 32);
  CHECK(refusal.starts_with("org.freedesktop.DBus.Error.ServiceUnknown: "));
}

TEST_CASE("a watched name tells its owner first and then each change") {
  Site s;
  REQUIRE(s.daemon.start());
  const auto bus = s.connect(), other = s.connect();
  std::vector<std::string> owners;
  const auto watch = bus->watch_name(
      "org.example.Service", [&](const std::string& owner) { owners.push_back(owner); });
  const auto different = bus->watch_name("org.example.Service2",
                                         [](const auto& owner) { CHECK(owner.empty()); });
  REQUIRE(s.connected(*other));
  CHECK(s.until([&] { return owners.size() == 1; }));
  auto request = other->call(kRequestName, name_and_flags("org.example.Service"),
                             [](const auto& reply) { CHECK(reply); });
  CHECK(s.until([&] { return owners.size() == 2; }));
  auto release = other->call(
      kReleaseName,
      [](sd_bus_message* m) {
        return sd_bus_message_append(m, "s", "org.example.Service");
      },
      [](const auto& reply) { CHECK(reply); });
  CHECK(s.until([&] { return owners.size() == 3; }));
  CHECK(owners[0].empty());
  CHECK(owners[1].starts_with(":1."));
  CHECK(owners[2].empty());
}

TEST_CASE("after a restart of the bus, names and matches are taken up again") {
  Site s;
  REQUIRE(s.daemon.start());
  const auto bus = s.connect();
  auto other = s.connect();
  std::vector<std::string> owners;
  std::vector<Bus::State> states;
  const auto watch =
      bus->watch_name("org.example.Service", [&](const std::string& owner) {
        owners.push_back(owner);
        states.push_back(bus->state());
      });
  int heard = 0;
  const auto match = bus->match(
      "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
      "arg0='org.example.Service'",
      [&](sd_bus_message*) { ++heard; });
  REQUIRE(s.connected(*other));
  auto request = other->call(kRequestName, name_and_flags("org.example.Service"),
                             [](const auto& reply) { CHECK(reply); });
  REQUIRE(s.until([&] { return owners.size() == 2 && heard == 1; }));

  Error pending;
  s.daemon.hang();
  const auto call = bus->call(kGetId, no_arguments,
                              [&](const auto& reply) { pending = reply.error(); });
  s.daemon.stop();
  REQUIRE(s.until([&] { return owners.size() == 3; }));
  CHECK(owners[2].empty());
  CHECK(states[2] != Bus::State::connected);
  CHECK(s.until([&] { return !pending.what.empty(); }));

  REQUIRE(s.daemon.start());
  REQUIRE(s.connected(*bus));
  REQUIRE(s.connected(*other));
  // The daemon reads the connections in its own order: the match is there when it has
  // answered what came after it.
  bool answered = false;
  const auto after_match =
      bus->call(kGetId, no_arguments, [&](const auto&) { answered = true; });
  REQUIRE(s.until([&] { return answered; }));
  request = other->call(kRequestName, name_and_flags("org.example.Service"),
                        [](const auto& reply) { CHECK(reply); });
  CHECK(s.until([&] { return !owners.back().empty() && heard == 2; }));
}

TEST_CASE("a bus that hangs never holds the loop up") {
  Site s;
  REQUIRE(s.daemon.start());
  const auto bus = s.connect(100ms);
  REQUIRE(s.connected(*bus));
  s.daemon.hang();
  auto longest = 0us;
  const auto run = [&](auto condition) {
    return s.until([&] {
      const auto start = Loop::now();
      (void)s.loop.run_once(0us);
      longest = std::max(longest, Loop::now() - start);
      return condition();
    });
  };
  Error error;
  const auto call =
      bus->call(kGetId, no_arguments, [&](const auto& reply) { error = reply.error(); });
  const auto watch = bus->watch_name("org.example.Service", [](const auto&) {});
  CHECK(run([&] { return error.code != 0; }));
  CHECK(error.code == ETIMEDOUT);
  // One that is opened meanwhile gives up and tries again.
  const auto start = Loop::now();
  const auto late = s.connect();
  longest = std::max(longest, Loop::now() - start);
  CHECK(late->state() == Bus::State::connecting);
  CHECK(run([&] { return late->why() == "the bus does not answer"; }));
  s.daemon.go_on();
  CHECK(s.connected(*late));
  CHECK(longest < 2s);
}

TEST_CASE(
    "a handle may go inside its own callback, before the answer, or after the bus") {
  Site s;
  REQUIRE(s.daemon.start());
  auto bus = s.connect();
  REQUIRE(s.connected(*bus));
  int calls = 0;
  Bus::Handle own = bus->call(kGetId, no_arguments, [&](const auto&) {
    ++calls;
    own.reset();
  });
  Bus::Handle cancelled =
      bus->call(kGetId, no_arguments, [&](const auto&) { calls += 100; });
  cancelled.reset();
  Bus::Handle watch = bus->watch_name("org.example.Service", [&](const auto&) {
    ++calls;
    watch.reset();
  });
  CHECK(s.until([&] { return calls >= 2; }));
  Bus::Handle late = bus->call(kGetId, no_arguments, [&](const auto&) { calls += 100; });
  const Bus::Handle match = bus->match("type='signal'", [](sd_bus_message*) {});
  bus.reset();
  for (int i = 0; i < 5; ++i) (void)s.loop.run_once(5ms);
  CHECK(calls == 2);
}
