// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/forward.hh"

#include <catch2/catch.hpp>
#include <set>

#include "dns/upstream.hh"
#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

namespace {

struct Fake : Exchange {
  std::vector<std::vector<uint8_t>> queries{};
  std::vector<Done> waiting{};
  std::vector<Endpoint> asked{};
  std::vector<std::chrono::milliseconds> limits{};
  bool at_once = false;  // fails inside send()
  Result<void> set_servers(std::span<const Endpoint>) override { return {}; }
  void send(const Endpoint& server, Bytes query, Transport,
            std::chrono::milliseconds limit, Done done) override {
    asked.push_back(server);
    limits.push_back(limit);
    if (at_once) return done({Outcome::End::unreachable, {}});
    queries.emplace_back(query.begin(), query.end());
    waiting.push_back(std::move(done));
  }
};

const Client kLocal{};
const Client kPeer{*Address::parse("100.64.0.9"), true};

Endpoint at(int n) { return *Endpoint::parse("192.0.2." + std::to_string(n) + ":53"); }

struct Fixture {
  Fake fake{};
  Forwarder::Time now{};
  Forwarder forwarder{fake, [this] { return now; }};

  explicit Fixture(std::vector<Endpoint> servers = {at(1)}) {
    REQUIRE(forwarder.set_upstreams({.originals = std::move(servers)}));
  }
  void ask(const Forwarded& what, Landing landing, const Client& client = kLocal) {
    const auto route = forwarder.route(what.question.name, false, now);
    forwarder.ask(route, what, client, now, std::move(landing));
  }
};

Forwarded question(int n) {
  return {.question = {*Name::parse("n" + std::to_string(n) + ".test"), type::kA}};
}

}  // namespace

TEST_CASE("one client's questions beyond the limit are refused, and room comes back") {
  Fixture f;
  int refused = 0, failed = 0;
  const auto count = [&](const Landed& l) {
    ++(l.failure == Failure::too_many ? refused : failed);
  };
  for (int i = 0; i < static_cast<int>(kMaxPerClient) + 10; ++i)
    f.ask(question(i % 500), count);
  CHECK(f.fake.queries.size() == 500);
  CHECK(refused == 10);
  CHECK(f.forwarder.waiting() == kMaxPerClient);
  CHECK(*f.forwarder.deadline() == kForwardTimeout);
  f.forwarder.expire(kForwardTimeout);
  CHECK(failed == static_cast<int>(kMaxPerClient));
  CHECK(f.forwarder.waiting() == 0);
  CHECK_FALSE(f.forwarder.deadline());
  f.now = 6s;
  f.ask(question(1), count);
  CHECK(f.forwarder.waiting() == 1);
}

TEST_CASE("when all places are taken, the oldest peer makes room for a local client") {
  Fixture f;
  std::vector<int> ousted;
  int refused = 0;
  int n = 0;
  for (uint8_t host = 1; host <= kMaxInFlight / kMaxPerClient; ++host)
    for (size_t i = 0; i < kMaxPerClient; ++i, ++n)
      f.ask(question(n),
            [&, n](const Landed& l) {
              if (l.failure == Failure::too_many) ousted.push_back(n);
            },
            {Address::v4(0x64400000u + host), true});
  REQUIRE(f.forwarder.waiting() == kMaxInFlight);
  const auto count = [&](const Landed& l) { refused += l.failure == Failure::too_many; };
  f.ask(question(n + 1), count, {*Address::parse("100.64.9.9"), true});
  CHECK(refused == 1);
  CHECK(ousted.empty());
  f.ask(question(n + 2), count);
  f.ask(question(n + 3), count);
  CHECK(refused == 1);
  CHECK(ousted == std::vector{0, 1});
  CHECK(f.forwarder.waiting() == kMaxInFlight);
  // What the ousted one asked comes back to nobody.
  const auto reply = make_reply(f.fake.queries[0], "NXDOMAIN", {});
  f.fake.waiting[0]({Outcome::End::replied, reply});
  CHECK(ousted.size() == 2);
}

TEST_CASE("a failure inside send reaches the asker once") {
  Fixture f;
  f.fake.at_once = true;
  int calls = 0;
  f.ask(question(1), [&](const Landed& l) {
    ++calls;
    CHECK(l.reply.empty());
    CHECK(l.failure == Failure::no_reply);
  });
  CHECK(calls == 1);
  CHECK(f.forwarder.waiting() == 0);
}

TEST_CASE("failures inside send of several racing groups end in one fall") {
  Fixture f;
  f.fake.at_once = true;
  REQUIRE(f.forwarder.set_upstreams(
      {.groups = {{.domains = {"test"}, .servers = {at(1), at(2)}},
                  {.domains = {"test"}, .servers = {at(3)}}},
       .originals = {at(9)}}));
  int calls = 0;
  for (int i = 0; i < 2; ++i) f.ask(question(i), [&](const Landed&) { ++calls; });
  CHECK(calls == 2);
  CHECK(f.fake.asked == std::vector{at(1), at(2), at(3), at(1), at(2), at(3), at(9)});
}

TEST_CASE(
    "the next server is asked when one refuses, fails or is silent; NXDOMAIN is an "
    "answer") {
  Fixture f({at(1), at(2), at(3), at(4), at(5)});
  std::string got;
  f.ask(question(1), [&](const Landed& l) { got = text(l.reply).substr(0, 8); });
  using End = Outcome::End;
  const auto end = [&](size_t n, End how, const char* rcode) {
    REQUIRE(f.fake.queries.size() == n);
    CHECK(f.fake.asked.back() == at(static_cast<int>(n)));
    const auto reply = make_reply(f.fake.queries.back(), *rcode ? rcode : "NOERROR", {});
    auto done = std::move(f.fake.waiting.back());
    done({how, how == End::replied ? Bytes(reply) : Bytes{}});
  };
  end(1, End::no_reply, "");
  end(2, End::replied, "SERVFAIL");
  end(3, End::replied, "REFUSED");
  end(4, End::unreachable, "");
  end(5, End::replied, "NXDOMAIN");
  CHECK(got == "NXDOMAIN");
  CHECK(f.fake.queries.size() == 5);
}

TEST_CASE("one server has four seconds, two 2.5 each, more two, and what is left") {
  for (const auto& [n, first] :
       {std::pair{1, 4000ms}, {2, 2500ms}, {3, 2000ms}, {5, 2000ms}}) {
    std::vector<Endpoint> servers;
    for (int i = 1; i <= n; ++i) servers.push_back(at(i));
    Fixture f(servers);
    f.ask(question(1), [](const Landed&) {});
    CHECK(f.fake.limits.back() == first);
    f.now = 4500ms;
    auto done = std::move(f.fake.waiting.back());
    done({Outcome::End::no_reply, {}});
    if (n > 1) CHECK(f.fake.limits.back() == 500ms);
  }
}

TEST_CASE("ids on the wire are not the client's and do not repeat in order") {
  Fixture f;
  std::set<int> ids;
  for (int i = 0; i < 500; ++i) f.ask(question(i), [](const Landed&) {});
  for (const auto& q : f.fake.queries) ids.insert(q[0] << 8 | q[1]);
  CHECK(ids.size() > 480);  // of 500 random 16-bit numbers, two coincide about twice
}

TEST_CASE("the query carries the question, three flags and an OPT record of 11 bytes") {
  Fixture f;
  f.ask({.question = {*Name::parse("WwW.test"), type::kMx},
         .flags = 0xffff,
         .dnssec_ok = true},
        [](const Landed&) {});
  const auto& q = f.fake.queries.at(0);
  CHECK(text(q) == "NOERROR rd ad cd query\nopt 1232 do\n");
  CHECK(q.size() == kHeaderSize + 10 + 4 + kOptSize);
}

TEST_CASE(
    "a new configuration leaves what is in flight alone, and retries dead servers") {
  Fixture f({at(1), at(2)});
  Failure last = Failure::none;
  std::string got;
  const auto note = [&](const Landed& l) {
    last = l.failure;
    got = text(l.reply).substr(0, 8);
  };
  f.ask(question(1), note);
  REQUIRE(f.forwarder.set_upstreams({.originals = {at(3)}}));
  auto done = std::move(f.fake.waiting.back());
  done({Outcome::End::no_reply, {}});
  CHECK(f.fake.asked.back() == at(2));
  const auto reply = make_reply(f.fake.queries.back(), "NXDOMAIN", {});
  done = std::move(f.fake.waiting.back());
  done({Outcome::End::replied, reply});
  CHECK(got == "NXDOMAIN");

  f.fake.at_once = true;
  for (int i = 2; i < 5; ++i) f.ask(question(i), note);
  CHECK(last == Failure::dead);
  REQUIRE(f.forwarder.set_upstreams({.originals = {at(3)}}));
  f.ask(question(5), note);
  CHECK(last == Failure::no_reply);
}

TEST_CASE("answers of different groups have different sources, and keep them") {
  Fixture f;
  const GroupConfig corp{.domains = {"corp.test"}, .servers = {at(2)}};
  const GroupConfig lab{.domains = {"lab.test"}, .servers = {at(3)}};
  const auto source = [&](const char* name, bool is_ours = false) {
    return f.forwarder.route(*Name::parse(name), is_ours, f.now).source();
  };
  REQUIRE(f.forwarder.set_upstreams({.groups = {corp, lab}, .originals = {at(1)}}));
  const auto of_corp = source("a.corp.test"), of_lab = source("lab.test"),
             others = source("example.com");
  CHECK(std::set{of_corp, of_lab, others, source("example.com", true)}.size() == 4);
  CHECK(source("b.CORP.test") == of_corp);
  REQUIRE(f.forwarder.set_upstreams({.groups = {lab, corp}, .originals = {at(1)}}));
  CHECK(source("a.corp.test") == of_corp);
  CHECK(source("a.lab.test") == of_lab);
  REQUIRE(f.forwarder.set_upstreams({.groups = {lab}, .originals = {at(2)}}));
  CHECK(std::set{of_corp, of_lab, others}.count(source("a.corp.test")) == 0);
}

TEST_CASE("a domain that is no name refuses the configuration, which changes nothing") {
  Fixture f;
  const auto set = f.forwarder.set_upstreams(
      {.groups = {{.domains = {"corp.test", "a..b"}, .servers = {at(2)}}}});
  REQUIRE_FALSE(set);
  CHECK(set.error().what.starts_with("nameserver group 1: domain 'a..b': "));
  f.ask(question(1), [](const Landed&) {});
  CHECK(f.fake.asked.back() == at(1));
}

TEST_CASE("groups are shown with their servers, the original ones last") {
  Fixture f;
  GroupConfig corp{.servers = {at(2), at(3)}};
  for (int i = 0; i < 20; ++i) corp.domains.push_back("d" + std::to_string(i) + ".test");
  REQUIRE(f.forwarder.set_upstreams(
      {.groups = {corp, {.primary = true}}, .originals = {at(1)}}));
  f.ask({.question = {*Name::parse("d3.test"), type::kA}}, [](const Landed&) {});
  f.now = 30ms;
  const auto reply = make_reply(f.fake.queries.back(), "REFUSED", {});
  auto done = std::move(f.fake.waiting.back());
  done({Outcome::End::replied, reply});
  f.now = 2s + 30ms;
  const auto groups = f.forwarder.groups(f.now);
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].domains.size() == kMaxStatisticsDomains);
  CHECK(groups[0].health == Health::healthy);
  CHECK(
      groups[0].servers[0] ==
      ServerStatistics{
          .endpoint = at(2), .sent = 1, .replies = 1, .latency_us = 30'000, .ok_ago = 2});
  CHECK(groups[0].servers[1] == ServerStatistics{.endpoint = at(3), .sent = 1});
  CHECK(groups[1].primary);
  CHECK(groups[1].health == Health::unhealthy);
  CHECK(groups[1].reason == "has no usable server");
  CHECK(groups[2].original);
  CHECK(groups[2].health == Health::unknown);
}

TEST_CASE("an upstream that leads back to us is dropped") {
  const auto at = [](const char* text) { return *Endpoint::parse(text); };
  const std::vector<Endpoint> configured{
      at("192.0.2.1:53"), at("100.64.0.1:53"), at("127.0.0.1:5053"),
      at("127.0.0.1:53"), at("192.0.2.1:53"),  at("0.0.0.0:53"),
      at("[ff02::1]:53"), at("[fe80::1]:53"),  {*Address::parse("fe80::1"), 53, 2}};
  const std::vector<Address> own{*Address::parse("100.64.0.1")};
  const std::vector<Endpoint> listeners{at("127.0.0.1:5053"), at("[::1]:5053")};
  const auto usable = usable_upstreams(configured, own, listeners);
  CHECK(usable.servers ==
        std::vector{at("192.0.2.1:53"), at("127.0.0.1:53"), configured.back()});
  CHECK(usable.dropped == std::vector{at("100.64.0.1:53"), at("127.0.0.1:5053"),
                                      at("0.0.0.0:53"), at("[ff02::1]:53"),
                                      at("[fe80::1]:53")});
}
