// SPDX-License-Identifier: GPL-2.0-or-later
// Limits, order and counts of the cache; what conversations can say about it is in
// tests/scenario/cache*.txt.
#include "dns/cache.hh"

#include <catch2/catch.hpp>

#include "dns/answer.hh"
#include "dns/scrub.hh"
#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

namespace {

Question question(const std::string& name, uint16_t t = type::kA) {
  return {*Name::parse(name), t};
}

CacheKey key(const std::string& name, uint32_t source = 1) {
  return {source, question(name), flag::kRd, false};
}

std::vector<uint8_t> reply_to(const Question& q, const char* rcode,
                              const std::vector<std::string>& records,
                              uint16_t flags = flag::kRa) {
  const auto query =
      make_query({.name = name_text(q.name.wire()), .type = q.type, .edns = 1232});
  const auto raw = make_reply(query, rcode, records, flags);
  std::vector<uint8_t> clean(kMaxMessage);
  clean.resize(scrub(q, false, raw, clean)->size);
  return clean;
}

struct Fixture {
  Cache cache;
  Cache::Time now = 1h;

  explicit Fixture(const Cache::Limits& limits = {}) : cache(limits) {}
  void put(const std::string& name, const std::string& rdata = "203.0.113.1",
           const std::string& ttl = "60", const std::string& t = "A") {
    const Question q = question(name, t == "A" ? type::kA : type::kTxt);
    const auto reply =
        reply_to(q, "NOERROR", {"answer " + name + " " + ttl + " " + t + " " + rdata});
    const Keeping what = keep(q, reply);
    REQUIRE(what.as == Keeping::As::answer);
    cache.store(key(name), what, now);
  }
  void fail(const std::string& name, const char* rcode = "SERVFAIL") {
    const auto reply = reply_to(question(name), rcode, {});
    const Keeping what = keep(question(name), reply);
    REQUIRE(what.as == Keeping::As::failure);
    cache.store(key(name), what, now);
  }
  bool has(const std::string& name) { return cache.find(key(name), now).has_value(); }
  // How long it is kept, in seconds.
  int64_t holds(const std::string& name) {
    const Cache::Time begin = now;
    while (has(name)) now += 500ms;
    return std::chrono::duration_cast<std::chrono::seconds>(now - begin).count();
  }
  std::string say(const std::string& name) {
    const auto hit = cache.find(key(name), now);
    if (!hit) return "nothing";
    const Asked asked{.flags = flag::kRd, .question = question(name), .limit = 512};
    std::array<uint8_t, 512> out;
    return text(Bytes(out).first(complete(asked, hit->kept, hit->aging, hit->turn, out)));
  }
};

std::string numbered(int n) { return "n" + std::to_string(n) + ".test"; }

}  // namespace

TEST_CASE("everything that changes a reply is in the key, the name's case is not") {
  const auto q = question("www.Example.test");
  const CacheKey base(1, q, flag::kRd, false);
  const auto same = [&](const CacheKey& other) {
    return std::ranges::equal(base.bytes(), other.bytes());
  };
  CHECK(same({1, question("WWW.example.test"), flag::kRd, false}));
  CHECK(same({1, q, flag::kRd | flag::kTc | flag::kZ, false}));
  CHECK_FALSE(same({2, q, flag::kRd, false}));
  CHECK_FALSE(same({1, question("ww.example.test"), flag::kRd, false}));
  CHECK_FALSE(same({1, question("www.example.test", type::kAaaa), flag::kRd, false}));
  CHECK_FALSE(same({1, q, 0, false}));
  CHECK_FALSE(same({1, q, flag::kRd | flag::kAd, false}));
  CHECK_FALSE(same({1, q, flag::kRd | flag::kCd, false}));
  CHECK_FALSE(same({1, q, flag::kRd, true}));
}

TEST_CASE("entries and their bytes are bounded, and counted") {
  Fixture f({.bytes = 64 << 10, .entries = 100});
  for (int n = 0; n < 1000; ++n) f.put(numbered(n));
  auto s = f.cache.statistics();
  CHECK(s.entries == 100);
  CHECK(s.evicted == 900);
  CHECK(f.has(numbered(999)));
  CHECK_FALSE(f.has(numbered(0)));
  const std::string wide = '"' + std::string(250, 'x') + '"';
  std::string text = wide;
  for (int i = 0; i < 9; ++i) text += " " + wide;
  for (int n = 0; n < 200; ++n) f.put(numbered(n) + ".wide", text, "60", "TXT");
  s = f.cache.statistics();
  CHECK(s.bytes <= 64 << 10);
  CHECK(s.bytes > 56 << 10);
  CHECK(s.entries < 30);
  CHECK(f.cache.flush(Name{}) == s.entries);
  CHECK(f.cache.statistics().bytes == 0);
  CHECK(f.cache.statistics().entries == 0);
}

TEST_CASE("a larger reply than the limit allows is not kept, nor what it replaced") {
  Fixture f({.bytes = 400, .entries = 10});
  f.put("a.test");
  REQUIRE(f.has("a.test"));
  f.now += 60s;
  const auto q = question("a.test");
  std::vector<std::string> records;
  for (int i = 1; i < 30; ++i)
    records.push_back("answer a.test 60 A 203.0.113." + std::to_string(i));
  const auto reply = reply_to(q, "NOERROR", records);
  f.cache.store(key("a.test"), keep(q, reply), f.now);
  CHECK_FALSE(f.has("a.test"));
  CHECK(f.cache.statistics().entries == 0);

  Fixture none({.bytes = 1 << 20, .entries = 0});
  none.put("a.test");
  CHECK_FALSE(none.has("a.test"));
}

TEST_CASE("what is used stays while others come and go, and what is over goes first") {
  Fixture f({.bytes = 1 << 20, .entries = 50});
  f.put("used.test", "203.0.113.7", "3600");
  f.put("over.test", "203.0.113.7", "1");
  for (int n = 0; n < 500; ++n) {
    REQUIRE(f.has("used.test"));
    f.put(numbered(n));
  }
  f.cache.flush(Name{});
  for (int n = 0; n < 49; ++n) f.put(numbered(n));
  f.put("over.test", "203.0.113.7", "1");
  for (int n = 0; n < 49; ++n) REQUIRE(f.has(numbered(n)));
  REQUIRE(f.has("over.test"));
  f.now += 2s;
  const auto before = f.cache.statistics().evicted;
  // The hand passes over kMaxChances at a time, so it is there after so many stores.
  for (int n = 100; n < 104; ++n) f.put(numbered(n));
  CHECK(f.cache.statistics().evicted == before + 3);
}

TEST_CASE("answers are taken out of their chain only, however the chains are shared") {
  Fixture f({.bytes = 1 << 20, .entries = 3});  // four chains at most
  for (int n = 0; n < 300; ++n) {
    f.put(numbered(n), "203.0.113." + std::to_string(n % 250));
    const std::string rdata = std::to_string(n % 250);
    CHECK(f.say(numbered(n)).ends_with("A 203.0.113." + rdata + "\n"));
    if (n % 7 == 0) f.cache.flush(*Name::parse(numbered(n - 1)));
  }
  CHECK(f.cache.statistics().entries <= 3);
}

TEST_CASE("failures hold one second, then twice as long, up to their limit") {
  Fixture f;
  std::vector<int64_t> refusals, silences;
  for (int i = 0; i < 8; ++i) {
    f.fail("bad.test", i % 2 ? "REFUSED" : "SERVFAIL");
    refusals.push_back(f.holds("bad.test"));
    f.now += 5s;
  }
  for (int i = 0; i < 6; ++i) {
    f.cache.store_silence(key("slow.test"), f.now);
    silences.push_back(f.holds("slow.test"));
    f.now += 5s;
  }
  CHECK(refusals == std::vector<int64_t>{1, 2, 4, 8, 16, 32, 60, 60});
  CHECK(silences == std::vector<int64_t>{1, 2, 4, 5, 5, 5});
  f.now += kFailureMemory;
  f.fail("bad.test");
  CHECK(f.holds("bad.test") == 1);
}

TEST_CASE("a failure does not replace an answer that holds, an answer ends a failure") {
  Fixture f;
  f.put("a.test");
  f.fail("a.test");
  f.cache.store_silence(key("a.test"), f.now);
  CHECK(f.say("a.test") == "NOERROR rd ra\nanswer a.test. 60 A 203.0.113.1\n");
  f.fail("b.test");
  CHECK(f.say("b.test") == "SERVFAIL rd ra\n");
  f.put("b.test");
  CHECK(f.say("b.test") == "NOERROR rd ra\nanswer b.test. 60 A 203.0.113.1\n");
  // Of all who waited, the first is heard.
  f.put("b.test", "203.0.113.2");
  CHECK(f.say("b.test") == "NOERROR rd ra\nanswer b.test. 60 A 203.0.113.1\n");
}

TEST_CASE("a reply that cannot be kept ends what was there") {
  Fixture f;
  f.cache.set_serve_stale(1h);
  f.put("a.test");
  f.now += 60s;
  const auto reply =
      reply_to(question("a.test"), "NOERROR", {"answer a.test 0 A 203.0.113.2"});
  f.cache.store(key("a.test"), keep(question("a.test"), reply), f.now);
  CHECK_FALSE(f.cache.stand_in(key("a.test"), f.now));
}

TEST_CASE("an old answer stands in within its limit, and is tried again after 30 s") {
  Fixture f;
  f.put("a.test");
  f.now += 61s;
  CHECK_FALSE(f.cache.stand_in(key("a.test"), f.now));
  f.cache.set_serve_stale(100s);
  CHECK_FALSE(f.has("a.test"));
  const auto hit = f.cache.stand_in(key("a.test"), f.now);
  REQUIRE(hit);
  CHECK(hit->aging.is_stale);
  CHECK(f.say("a.test") == "NOERROR rd ra\nanswer a.test. 30 A 203.0.113.1\n");
  f.fail("a.test");  // it stays
  f.now += kStaleRecheck;
  CHECK_FALSE(f.has("a.test"));
  CHECK(f.cache.stand_in(key("a.test"), f.now));
  f.now = 1h + 160s;
  CHECK_FALSE(f.has("a.test"));
  CHECK_FALSE(f.cache.stand_in(key("a.test"), f.now));
  CHECK(f.cache.statistics().stale == 3);
  f.fail("b.test");
  f.now += 2s;
  CHECK_FALSE(f.cache.stand_in(key("b.test"), f.now));
}

TEST_CASE("hits are counted, failures among them, and others left out when not wanted") {
  Fixture f;
  f.put("a.test");
  f.fail("b.test");
  CHECK(f.has("a.test"));
  CHECK(f.has("b.test"));
  CHECK_FALSE(f.cache.find(key("b.test"), f.now, Cache::Want::answers));
  CHECK(f.cache.find(key("a.test"), f.now, Cache::Want::answers));
  CHECK_FALSE(f.cache.find(key("a.test", 2), f.now));
  CHECK(f.cache.statistics().hits == 3);
}

TEST_CASE("questions about several types or another class are not kept") {
  CHECK(is_keepable(question("a.test")));
  CHECK(is_keepable(question("a.test", 65)));     // HTTPS
  CHECK(is_keepable(question("a.test", 32768)));  // TA
  for (const int t : {0, 41, 46, 128, 249, 252, 255})
    CHECK_FALSE(is_keepable(question("a.test", static_cast<uint16_t>(t))));
  CHECK_FALSE(is_keepable({*Name::parse("a.test"), type::kA, klass::kAny}));
}

TEST_CASE("a set turns only if its records are alike and stand together") {
  const auto q = question("a.test");
  const auto turning = [&](const std::vector<std::string>& records) {
    const auto reply = reply_to(q, "NOERROR", records);
    return keep(q, reply).kept.turning;
  };
  CHECK(turning({"answer a.test 60 A 192.0.2.1"}) == 0);
  CHECK(turning({"answer a.test 60 A 192.0.2.1", "answer a.test 60 A 192.0.2.2"}) == 2);
  const auto txt = question("a.test", type::kTxt);
  const auto reply =
      reply_to(txt, "NOERROR", {"answer a.test 60 TXT a", "answer a.test 60 TXT b"});
  CHECK(keep(txt, reply).kept.turning == 0);
  // As scrub() never writes it: the first owner is spelled out, the second points to it,
  // or a signature is between them.
  for (const bool signature : {false, true}) {
    std::array<uint8_t, 512> bytes{};
    Writer w(bytes);
    for (const int n : {0, int{flag::kQr}, 1, signature ? 3 : 2, 0, 0})
      w.u16(static_cast<uint16_t>(n));
    w.name(Name::parse("a.test")->wire());
    w.u16(type::kA);
    w.u16(klass::kIn);
    for (int i = 0; i < (signature ? 3 : 2); ++i) {
      w.name(Name::parse(signature ? "a.test" : "b.example")->wire());
      w.u16(signature && i == 1 ? 46 : type::kA);
      w.u16(klass::kIn);
      w.u32(60);
      w.u16(4);
      w.u32(0x01020304);
    }
    const Keeping k = keep(q, Bytes(bytes).first(w.size()));
    CHECK(k.as == Keeping::As::answer);
    CHECK(k.kept.turning == 0);
  }
}

TEST_CASE("no bytes make keep() fail or hold what it cannot read") {
  const auto q = question("a.test");
  const auto good = reply_to(
      q, "NOERROR", {"answer a.test 60 CNAME b.test", "answer b.test 60 A 1.2.3.4"});
  REQUIRE(keep(q, good).as == Keeping::As::answer);
  for (size_t n = 0; n + 1 < good.size(); ++n)
    CHECK(keep(q, Bytes(good).first(n)).as == Keeping::As::nothing);
}
