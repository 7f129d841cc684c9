// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/inquiry.hh"

#include <catch2/catch.hpp>

#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

namespace {

Endpoint at(int n) { return *Endpoint::parse("192.0.2." + std::to_string(n) + ":53"); }

struct Fake : Exchange {
  std::vector<std::vector<uint8_t>> queries{};
  std::vector<Done> waiting{};
  std::vector<Endpoint> asked{};
  Result<void> set_servers(std::span<const Endpoint>) override { return {}; }
  void send(const Endpoint& server, Bytes query, Transport, std::chrono::milliseconds,
            Done done) override {
    asked.push_back(server);
    queries.emplace_back(query.begin(), query.end());
    waiting.push_back(std::move(done));
  }
};

struct Host {
  Fake fake{};
  Service::Time now{1s};
  Service service{fake, [this] { return now; }};
  std::vector<Traced> told{};

  Host() {
    service.replace_zones(
        *Zones::build({{"corp.test",
                        {{"a.corp.test", type::kA, 60, "100.64.0.1"},
                         {"w.corp.test", type::kCname, 60, "x.out.test"}}}},
                      {}));
    REQUIRE(service.set_upstreams(
        {.groups = {{.domains = {"out.test"}, .servers = {at(1), at(2)}},
                    {.servers = {at(3)}, .primary = true}},
         .originals = {at(9)}}));
  }
  void ask(const char* name, uint16_t type = type::kA) {
    inquire(service, {7, name, type, Transport::udp}, now,
            [this](Traced t) { told.push_back(std::move(t)); });
  }
  void reply(const char* rcode, const std::vector<std::string>& records = {}) {
    const auto bytes = make_reply(fake.queries.back(), rcode, records);
    auto done = std::move(fake.waiting.back());
    done({Outcome::End::replied, bytes});
  }
};

}  // namespace

TEST_CASE("a name of ours is told about at once: its zone, and nobody asked") {
  Host h;
  h.ask("A.corp.test.");
  REQUIRE(h.told.size() == 1);
  const auto& t = h.told[0];
  CHECK(t.id == 7);
  CHECK(t.failure.empty());
  REQUIRE(t.reply.records.size() == 1);
  CHECK(t.reply.records[0].rdata == "100.64.0.1");
  CHECK(t.trace.local == Trace::Local::zone);
  CHECK(t.trace.zone == "corp.test.");
  CHECK(t.trace.wanted.empty());
  CHECK(t.trace.source == Trace::Source::nobody);
}

TEST_CASE("an alias out of a zone is followed to its group, server by server") {
  Host h;
  h.ask("w.corp.test");
  CHECK(h.told.empty());
  h.now += 300us;
  auto first = std::move(h.fake.waiting.back());
  first({Outcome::End::unreachable, {}});
  h.now += 500us;
  h.reply("NOERROR", {"answer x.out.test 30 A 203.0.113.1"});
  REQUIRE(h.told.size() == 1);
  const auto& t = h.told[0].trace;
  CHECK(t.local == Trace::Local::zone);
  CHECK(t.wanted == "x.out.test.");
  CHECK(t.source == Trace::Source::match);
  CHECK(t.domain == "out.test.");
  CHECK(t.attempts == std::vector<Attempt>{{at(1), 0, 300, Attempt::End::unreachable},
                                           {at(2), 300, 500, Attempt::End::answered}});
  CHECK(t.took == 800);
  CHECK(h.told[0].reply.records.size() == 2);
}

TEST_CASE("a refusal, a wrong reply and silence are told apart") {
  Host h;
  h.ask("y.out.test");
  h.reply("SERVFAIL");
  auto second = std::move(h.fake.waiting.back());
  const uint8_t junk[] = {1, 2, 3};
  second({Outcome::End::replied, junk});
  REQUIRE(h.told.size() == 1);
  const auto& attempts = h.told[0].trace.attempts;
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].end == Attempt::End::refused);
  CHECK(attempts[1].end == Attempt::End::unusable);
  CHECK(h.told[0].reply.rcode == rcode::kServFail);
}

TEST_CASE("dead servers of a domain are told of, and who took their place") {
  Host h;
  using End = Outcome::End;
  for (int i = 0; i < 2; ++i) {
    h.ask(i ? "p.out.test" : "q.out.test");
    for (int server = 0; server < 2; ++server) {
      auto done = std::move(h.fake.waiting.back());
      done({End::unreachable, {}});
    }
  }
  // The second query fell while it was at work.
  CHECK(h.fake.asked.back() == at(9));
  h.reply("NXDOMAIN");
  REQUIRE(h.told.size() == 2);
  CHECK_FALSE(h.told[0].trace.fell);
  CHECK(h.told[1].trace.fell);
  CHECK(h.told[1].trace.source == Trace::Source::original);
  CHECK(h.told[1].trace.domain == "out.test.");
  CHECK(h.told[1].trace.attempts.size() == 3);
  // The third goes there at once.
  h.ask("r.out.test");
  REQUIRE(h.told.size() == 2);
  const auto original =
      std::ranges::find(h.fake.asked.rbegin(), h.fake.asked.rend(), at(9));
  REQUIRE(original != h.fake.asked.rend());
  const auto index = static_cast<size_t>(h.fake.asked.rend() - original) - 1;
  auto done = std::move(h.fake.waiting[index]);
  done({End::replied, make_reply(h.fake.queries[index], "NXDOMAIN", {})});
  REQUIRE(h.told.size() == 3);
  CHECK(h.told[2].trace.fell);
  CHECK(h.told[2].trace.attempts.size() == 1);
}

TEST_CASE("a question in flight is shared, and its reply counts from the joining on") {
  Host h;
  h.ask("z.elsewhere.test");
  h.now += 1ms;
  h.ask("z.elsewhere.test");
  CHECK(h.fake.queries.size() == 1);
  h.now += 2ms;
  h.reply("NXDOMAIN");
  REQUIRE(h.told.size() == 2);
  CHECK(h.told[0].trace.source == Trace::Source::primary);
  CHECK_FALSE(h.told[0].trace.shared);
  CHECK(h.told[0].trace.took == 3000);
  CHECK(h.told[1].trace.shared);
  CHECK(h.told[1].trace.attempts ==
        std::vector<Attempt>{{at(3), 0, 2000, Attempt::End::answered}});
}

TEST_CASE("special names, refused types, withheld answers and late ones say so") {
  Host h;
  h.ask("localhost");
  CHECK(h.told.back().trace.local == Trace::Local::special);
  h.ask("a.corp.test", type::kAxfr);
  CHECK(h.told.back().trace.local == Trace::Local::refused_type);
  h.ask("not a\\999name");
  CHECK_FALSE(h.told.back().failure.empty());
  h.ask("evil.elsewhere.test");
  h.reply("NOERROR", {"answer evil.elsewhere.test 30 A 127.0.0.1"});
  CHECK(h.told.back().trace.withheld);
  CHECK(h.service.statistics().withheld == 1);
  REQUIRE(h.told.back().reply.errors.size() == 1);
  CHECK(h.told.back().reply.errors[0].code == 15);
  h.ask("late.elsewhere.test");
  h.now += 5s;
  h.service.expire(h.now);
  REQUIRE(h.told.size() == 5);
  CHECK(h.told.back().reply.rcode == rcode::kServFail);
  CHECK(h.told.back().trace.attempts ==
        std::vector<Attempt>{{at(3), 0, 5'000'000, Attempt::End::pending}});
}
