// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/endpoints.hh"

#include <catch2/catch.hpp>
#include <functional>

using namespace wigeon;
using namespace std::chrono_literals;

namespace {

const auto kStart = std::chrono::system_clock::time_point(1'700'000'000s);

// Endpoints by letter: A is 192.0.2.1:1, B is 192.0.2.2:1 …
Endpoint at(char letter) {
  return {Address::v4(0xc0000200 + static_cast<uint32_t>(letter - 'A' + 1)), 1};
}

char letter(const Endpoint& e) {
  return static_cast<char>('A' + e.address.bytes()[3] - 1);
}

// A peer in a kernel, over time. It is looked at when choose() asks for it, and every 30
// s.
struct World {
  std::string map{};          // the candidates, by letter; what they are in the map
  std::string names{};        // if not empty: what the map's names stand for now
  std::string reachable{};    // endpoints that answer a handshake
  bool sends = true;          // there is something to send
  std::string no_route = "";  // endpoints that nothing can be sent to
  KernelPeer kernel{.keepalive = 25};
  int now = 0;
  EndpointState state{};
  int next_look = 0;

  // Seconds from here on; what happens as "T:set A" and "T:session A".
  std::string run(int seconds) {
    std::string said;
    const int end = now + seconds;
    for (; now < end; ++now) {
      look(said);
      wireguard(said);
    }
    return said;
  }

  // The peer's packets come from there.
  void roams_to(char where) {
    kernel.endpoint = at(where);
    kernel.stats.last_handshake = time();
  }
  // A new daemon, or one that was told of a new map.
  void restart() {
    state = {};
    next_look = now;
  }
  void look_soon() { next_look = now; }

 private:
  [[nodiscard]] std::chrono::system_clock::time_point time() const {
    return kStart + std::chrono::seconds(now);
  }

  void look(std::string& said) {
    if (now < next_look) return;
    std::vector<Place> places;
    for (const char c : map) places.emplace_back(HostPort{std::string(1, c), 1});
    Candidates c = candidates(places, {}, {});
    for (const char n : names.empty() ? map : names) c.list.push_back(at(n));
    const auto choice = choose(state, c, kernel, time());
    if (choice.set) {
      kernel.endpoint = choice.set;
      said += std::to_string(now) + ":set " + letter(*choice.set) + " ";
    }
    state = choice.next;
    const auto wait = std::chrono::ceil<std::chrono::seconds>(choice.look.value_or(30s));
    next_look = now + static_cast<int>(std::max<int64_t>(1, wait.count()));
  }

  // A handshake every 5 s without a session, every 120 s with one.
  void wireguard(std::string& said) {
    if (!sends || !kernel.endpoint || now % 5 != 0) return;
    const bool had = has_session(kernel.stats, time());
    if (had && time() - kernel.stats.last_handshake < 120s) return;
    const char to = letter(*kernel.endpoint);
    if (no_route.find(to) == std::string::npos) kernel.stats.tx_bytes += 148;
    if (reachable.find(to) == std::string::npos) return;
    kernel.stats.last_handshake = time();
    if (!had) said += std::to_string(now) + ":session " + to + " ";
  }
};

}  // namespace

TEST_CASE("the first candidate is set at once and kept while it works") {
  World w{.map = "AB", .reachable = "AB"};
  CHECK(w.run(1000) == "0:set A 0:session A ");
}

TEST_CASE("candidates are tried in order, ten seconds each after the first handshake") {
  World w{.map = "ABC", .reachable = "C"};
  CHECK(w.run(600) == "0:set A 11:set B 28:set C 30:session C ");
}

TEST_CASE("after the last candidate comes the first") {
  World w{.map = "AB"};
  CHECK(w.run(60) == "0:set A 11:set B 28:set A 42:set B 56:set A ");
}

TEST_CASE("a single candidate is set once") {
  World w{.map = "A"};
  CHECK(w.run(3600) == "0:set A ");
}

TEST_CASE("a peer that nothing is sent to is not failing") {
  World w{.map = "AB", .reachable = "B", .sends = false};
  w.kernel.keepalive = 0;
  CHECK(w.run(3600) == "0:set A ");
  w.sends = true;
  const auto said = w.run(90);
  CAPTURE(said);
  CHECK(said.find(":set B") != said.npos);
  CHECK(said.find(":session B") != said.npos);
}

TEST_CASE("a candidate without a route is left though nothing was counted as sent") {
  World w{.map = "AB", .reachable = "B", .no_route = "A"};
  const auto said = w.run(60);
  CAPTURE(said);
  CHECK(said.starts_with("0:set A 3"));
  CHECK(said.find(":session B ") != said.npos);
}

TEST_CASE("what worked last is tried first when the session is lost") {
  World w{.map = "ABC", .reachable = "B"};
  CHECK(w.run(300) == "0:set A 11:set B 15:session B ");
  w.reachable = "C";
  const auto said = w.run(600);
  CAPTURE(said);
  // B is not left before its session's end, then tried, then the map's order: A, C.
  CHECK(said.find(":set B") == said.npos);
  CHECK(said.find(":set A") < said.find(":set C"));
  CHECK(said.ends_with(":session C "));
}

TEST_CASE("an endpoint that the kernel learned is respected") {
  World w{.map = "AB", .reachable = "ABR"};
  w.run(10);
  w.roams_to('R');
  CHECK(w.run(3600) == "");
  CHECK(w.kernel.endpoint == at('R'));
}

TEST_CASE("an endpoint that the kernel learned is a candidate of its own afterwards") {
  World w{.map = "AB", .reachable = "AR"};
  w.run(10);
  w.roams_to('R');
  w.run(60);
  w.reachable = "";
  const auto said = w.run(300);
  CAPTURE(said);
  // R's trial, A, B, R again.
  const auto a = said.find(":set A"), b = said.find(":set B"), r = said.find(":set R");
  CHECK(a < b);
  CHECK(b < r);
  CHECK(r != said.npos);
  w.reachable = "R";
  CHECK(w.run(60).ends_with(":session R "));
}

TEST_CASE("an endpoint that the map withdraws is left at once, session or not") {
  World w{.map = "A", .reachable = "AB"};
  w.run(10);
  w.map = "B";
  w.look_soon();
  CHECK(w.run(300) == "10:set B ");
  CHECK(w.kernel.endpoint == at('B'));
}

TEST_CASE("a peer that roamed goes where a wholly new list says") {
  World w{.map = "AB", .reachable = "ARC"};
  w.run(10);
  w.roams_to('R');
  w.run(60);
  w.map = "CD";
  w.look_soon();
  CHECK(w.run(10) == "70:set C ");
}

TEST_CASE("a list that grows, shrinks or changes order ends no session that it allows") {
  for (const std::string changed : {"BA", "ABC", "CA", "A"}) {
    CAPTURE(changed);
    World w{.map = "AB", .reachable = "A"};
    w.run(10);
    w.map = changed;
    w.look_soon();
    CHECK(w.run(600) == "");
    w.roams_to('R');
    w.reachable = "R";
    w.run(60);
    w.map = "A" + changed;
    w.look_soon();
    CHECK(w.run(60) == "");
  }
}

TEST_CASE("without a session a changed list begins with its first candidate") {
  World w{.map = "AB"};
  CHECK(w.run(12) == "0:set A 11:set B ");
  w.map = "CB";
  w.look_soon();
  CHECK(w.run(1) == "12:set C ");
}

TEST_CASE("a name that leads elsewhere is followed once the session is gone") {
  World w{.map = "n", .names = "A", .reachable = "A"};
  CHECK(w.run(100) == "0:set A 0:session A ");
  w.names = "B";
  CHECK(w.run(20) == "");
  w.reachable = "B";
  const auto said = w.run(300);
  CAPTURE(said);
  CHECK(said.ends_with(":session B "));
  CHECK(said.find(":set A") == said.npos);
  CHECK(w.run(1000) == "");
}

TEST_CASE("a new daemon respects a session and does not resume a trial") {
  World w{.map = "AB", .reachable = "ABR"};
  w.run(10);
  w.roams_to('R');
  w.restart();
  CHECK(w.run(600) == "");
  w.reachable = "";
  w.run(200);
  w.map = "C";
  w.restart();
  CHECK(w.run(1) == "810:set C ");
}

TEST_CASE("an endpoint that somebody else set is not kept without a session") {
  World w{.map = "AB", .reachable = ""};
  w.run(5);
  w.kernel.endpoint = at('X');
  CHECK(w.run(10).starts_with("5:set A") == false);
  CHECK(w.kernel.endpoint != at('X'));
}

TEST_CASE("without candidates the kernel's endpoint stays, and is kept for later") {
  World w{.reachable = "R"};
  w.roams_to('R');
  CHECK(w.run(400) == "");
  w.reachable = "";
  CHECK(w.run(400) == "");
  CHECK(w.kernel.endpoint == at('R'));
}

TEST_CASE("a session from before an endpoint was set does not speak for it") {
  World w{.map = "A", .reachable = "A"};
  w.run(10);
  w.map = "BC";
  w.reachable = "C";
  w.look_soon();
  CHECK(w.run(1) == "10:set B ");
  const auto said = w.run(300);
  CAPTURE(said);
  CHECK(w.state.worked == at('C'));
  CHECK(said.ends_with(":session C "));
  CHECK(said.find(":set A") == said.npos);
  CHECK(said.find(":set B") == said.npos);
}

TEST_CASE("a clock that jumps costs no more than a trial") {
  World w{.map = "AB", .reachable = "B"};
  w.run(3);
  w.now -= 2'000'000;
  w.look_soon();
  const auto said = w.run(60);
  CAPTURE(said);
  CHECK(said.ends_with(":session B "));
}

TEST_CASE("nothing flaps: a session is made once whatever answers") {
  const std::string all = "ABCD";
  for (unsigned answering = 1; answering < 16; ++answering) {
    World w{.map = all};
    for (unsigned i = 0; i < 4; ++i)
      if (answering & (1u << i)) w.reachable += all[i];
    CAPTURE(w.reachable);
    const auto said = w.run(120);
    CHECK(said.ends_with(std::string(":session ") + w.reachable[0] + " "));
    CHECK(w.run(10'000) == "");
  }
}

TEST_CASE("candidates are the map's places in order, names with all their addresses") {
  const auto e = [](std::string_view t) { return *Endpoint::parse(t); };
  const std::vector<Place> places{e("192.0.2.1:1"), HostPort{"n", 2}, HostPort{"m", 3},
                                  e("[2001:db8::1]:4")};
  const Resolved resolved{
      {{"n", 2}, {e("192.0.2.9:2"), e("[2001:db8::9]:2"), e("192.0.2.9:2")}}};
  const auto c = candidates(places, resolved, {});
  CHECK(c.list == std::vector{e("192.0.2.1:1"), e("192.0.2.9:2"), e("[2001:db8::9]:2"),
                              e("[2001:db8::1]:4")});
  const std::vector bad{*Address::parse("192.0.2.9")};
  CHECK(candidates(places, resolved, bad).list ==
        std::vector{e("192.0.2.1:1"), e("[2001:db8::9]:2"), e("[2001:db8::1]:4")});
  SECTION("the map's part of it changes with the map only") {
    CHECK(candidates(places, {}, bad).map == c.map);
    auto turned = places;
    std::swap(turned[0], turned[1]);
    CHECK(candidates(turned, resolved, {}).map != c.map);
    CHECK(candidates({}, {}, {}).map != 0);
  }
  SECTION("there are at most kMaxCandidates") {
    Resolved many;
    std::vector<Place> names;
    for (uint16_t n = 1; n <= 4; ++n) {
      names.emplace_back(HostPort{"n", n});
      for (uint32_t i = 0; i < 8; ++i)
        many[{"n", n}].push_back({Address::v4(0xc0000200 + i), n});
    }
    CHECK(candidates(names, many, {}).list.size() == kMaxCandidates);
  }
}
