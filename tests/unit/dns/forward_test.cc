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
  bool at_once = false;  // fails inside send()
  Result<void> set_servers(std::span<const Endpoint>) override { return {}; }
  void send(const Endpoint& server, Bytes query, Transport, std::chrono::milliseconds,
            Done done) override {
    asked.push_back(server);
    if (at_once) return done({Outcome::End::unreachable, {}});
    queries.emplace_back(query.begin(), query.end());
    waiting.push_back(std::move(done));
  }
};

const std::vector<Endpoint> kServers{*Endpoint::parse("192.0.2.1:53")};

Question question(int n) {
  return {*Name::parse("n" + std::to_string(n) + ".test"), type::kA};
}

}  // namespace

TEST_CASE("askers beyond the limit are refused, and room comes back") {
  Fake fake;
  Forwarder forwarder(fake);
  REQUIRE(forwarder.set_servers(kServers));
  int refused = 0, failed = 0;
  const auto count = [&](Bytes, Forwarder::Failure why) {
    ++(why == Forwarder::Failure::too_many ? refused : failed);
  };
  for (int i = 0; i < static_cast<int>(kMaxInFlight) + 10; ++i)
    forwarder.ask(question(i % 500), 0, false, 0s, count);
  CHECK(fake.queries.size() == 500);
  CHECK(refused == 10);
  CHECK(forwarder.waiting() == kMaxInFlight);
  CHECK(*forwarder.deadline() == kForwardTimeout);
  forwarder.expire(kForwardTimeout);
  CHECK(failed == static_cast<int>(kMaxInFlight));
  CHECK(forwarder.waiting() == 0);
  CHECK_FALSE(forwarder.deadline());
  forwarder.ask(question(1), 0, false, 6s, count);
  CHECK(forwarder.waiting() == 1);
}

TEST_CASE("a failure inside send reaches the asker once") {
  Fake fake;
  fake.at_once = true;
  Forwarder forwarder(fake);
  REQUIRE(forwarder.set_servers(kServers));
  int calls = 0;
  forwarder.ask(question(1), 0, false, 0s, [&](Bytes reply, Forwarder::Failure why) {
    ++calls;
    CHECK(reply.empty());
    CHECK(why == Forwarder::Failure::no_reply);
  });
  CHECK(calls == 1);
  CHECK(forwarder.waiting() == 0);
}

TEST_CASE(
    "the next server is asked when one refuses, fails or is silent; NXDOMAIN is an "
    "answer") {
  Fake fake;
  Forwarder forwarder(fake);
  const auto at = [](int n) {
    return *Endpoint::parse("192.0.2." + std::to_string(n) + ":53");
  };
  REQUIRE(forwarder.set_servers({at(1), at(2), at(3), at(4), at(5)}));
  std::string got;
  forwarder.ask(question(1), 0, false, 0s,
                [&](Bytes reply, Forwarder::Failure) { got = text(reply).substr(0, 8); });
  using End = Outcome::End;
  const auto end = [&](size_t n, End how, const char* rcode) {
    REQUIRE(fake.queries.size() == n);
    CHECK(fake.asked.back() == at(static_cast<int>(n)));
    const auto reply = make_reply(fake.queries.back(), *rcode ? rcode : "NOERROR", {});
    auto done = std::move(fake.waiting.back());
    done({how, how == End::replied ? Bytes(reply) : Bytes{}});
  };
  end(1, End::no_reply, "");
  end(2, End::replied, "SERVFAIL");
  end(3, End::replied, "REFUSED");
  end(4, End::unreachable, "");
  end(5, End::replied, "NXDOMAIN");
  CHECK(got == "NXDOMAIN");
  CHECK(fake.queries.size() == 5);
}

TEST_CASE("ids on the wire are not the client's and do not repeat in order") {
  Fake fake;
  Forwarder forwarder(fake);
  REQUIRE(forwarder.set_servers(kServers));
  std::set<int> ids;
  for (int i = 0; i < 500; ++i)
    forwarder.ask(question(i), 0, false, 0s, [](Bytes, Forwarder::Failure) {});
  for (const auto& q : fake.queries) ids.insert(q[0] << 8 | q[1]);
  CHECK(ids.size() > 480);  // of 500 random 16-bit numbers, two coincide about twice
}

TEST_CASE("the query carries the question, three flags and an OPT record of 11 bytes") {
  Fake fake;
  Forwarder forwarder(fake);
  REQUIRE(forwarder.set_servers(kServers));
  forwarder.ask({*Name::parse("WwW.test"), type::kMx}, 0xffff, true, 0s,
                [](Bytes, Forwarder::Failure) {});
  const auto& q = fake.queries.at(0);
  CHECK(text(q) == "NOERROR rd ad cd query\nopt 1232 do\n");
  CHECK(q.size() == kHeaderSize + 10 + 4 + kOptSize);
}

TEST_CASE("an upstream that leads back to us is dropped") {
  const auto at = [](const char* text) { return *Endpoint::parse(text); };
  const std::vector<Endpoint> configured{
      at("192.0.2.1:53"), at("100.64.0.1:53"), at("127.0.0.1:5053"), at("127.0.0.1:53"),
      at("192.0.2.1:53"), at("0.0.0.0:53"),    at("[ff02::1]:53")};
  const std::vector<Address> own{*Address::parse("100.64.0.1")};
  const std::vector<Endpoint> listeners{at("127.0.0.1:5053"), at("[::1]:5053")};
  const auto usable = usable_upstreams(configured, own, listeners);
  CHECK(usable.servers == std::vector{at("192.0.2.1:53"), at("127.0.0.1:53")});
  CHECK(usable.dropped == std::vector{at("100.64.0.1:53"), at("127.0.0.1:5053"),
                                      at("0.0.0.0:53"), at("[ff02::1]:53")});
}
