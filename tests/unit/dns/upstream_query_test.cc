// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/upstream_query.hh"

#include <catch2/catch.hpp>
#include <map>

#include "dns/mixed_case.hh"
#include "tests/scenario/message_text.hh"

using namespace wigeon::dns;

namespace {

std::vector<uint8_t> bytes(Bytes b) { return {b.begin(), b.end()}; }

struct Sent {
  Random random{};
  UpstreamQuery query{};
  explicit Sent(const UpstreamQuery::Form& form) {
    REQUIRE(query.set(make_query({.name = "Www.example", .id = 7, .edns = 1232})));
    query.shape(form, random);
  }
  [[nodiscard]] std::vector<uint8_t> reply(std::string_view rcode = "NOERROR") const {
    return make_reply(query.sent(), rcode, {});
  }
};

}  // namespace

TEST_CASE("mixing keeps the name, uses both cases, and is uniform over what is left") {
  Random random;
  std::map<std::string, int> counts;
  for (int i = 0; i < 6000; ++i) {
    std::string name{"\3a1B\0", 5};
    mix_case({reinterpret_cast<uint8_t*>(name.data()), name.size()}, random);
    ++counts[name];
  }
  CHECK(counts.size() == 2);  // aB and Ab
  for (const auto& [name, n] : counts) CHECK(std::abs(n - 3000) < 250);
  const Name given = *Name::parse("a.very-long-label.of.letters.in.many.labels.example");
  auto mixed = bytes(given.wire());
  mix_case(mixed, random);
  CHECK(same_name(mixed, given.wire()));
  CHECK(mixed != bytes(given.wire()));
  std::vector<uint8_t> one{1, 'x', 0}, digits{2, '1', '2', 0};
  mix_case(one, random);
  mix_case(digits, random);
  CHECK(digits == std::vector<uint8_t>{2, '1', '2', 0});
}

TEST_CASE("only the reply to exactly what was sent is taken") {
  const Sent s({.id = 0x1234, .mixed = true});
  CHECK(s.query.match(s.reply()) == Match::reply);
  CHECK(s.query.match(s.reply("SERVFAIL")) == Match::reply);
  const auto changed = [&](size_t at, uint8_t bits) {
    auto r = s.reply();
    r[at] ^= bits;
    return s.query.match(r);
  };
  CHECK(changed(0, 1) == Match::mismatch);
  CHECK(changed(1, 1) == Match::mismatch);
  CHECK(changed(2, 0x80) == Match::mismatch);  // a query
  CHECK(changed(2, 0x10) == Match::mismatch);  // another opcode
  CHECK(changed(2, 0x02) == Match::truncated);
  CHECK(changed(5, 1) == Match::mismatch);  // no question
  CHECK(changed(5, 3) == Match::mismatch);  // two
  CHECK(changed(12, 1) == Match::mismatch);
  CHECK(changed(13, 1) == Match::mismatch);
  CHECK(changed(13, 0x20) == Match::other_case);
  CHECK(changed(26, 1) == Match::mismatch);  // type
  CHECK(changed(28, 1) == Match::mismatch);  // class
  const auto reply = s.reply();
  for (size_t n = 0; n < 29; ++n)
    CHECK(s.query.match(Bytes(reply).first(n)) == Match::mismatch);
}

TEST_CASE("without mixing, the case of a reply does not matter, and it is restored") {
  const Sent s({.id = 0x1234});
  auto r = s.reply();
  r[14] ^= 0x20;
  CHECK(s.query.match(r) == Match::reply);
  s.query.restore(r);
  CHECK((r[0] == 0 && r[1] == 7));
  CHECK(std::equal(r.begin() + 12, r.begin() + 29, s.query.sent().begin() + 12));
}

TEST_CASE("a refusal of EDNS is one only for a query with it, and without OPT itself") {
  const Sent with({.id = 1}), without({.id = 1, .with_opt = false});
  CHECK(without.query.sent().size() + kOptSize == with.query.sent().size());
  for (const char* code : {"FORMERR", "NOTIMP"}) {
    CHECK(with.query.match(with.reply(code)) == Match::reply);
    CHECK(with.query.match(without.reply(code)) == Match::no_edns);
    CHECK(without.query.match(without.reply(code)) == Match::reply);
  }
  CHECK(with.query.match(without.reply("REFUSED")) == Match::reply);
  std::vector<uint8_t> header{0, 1, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(with.query.match(header) == Match::no_edns);
  CHECK(without.query.match(header) == Match::mismatch);
  header[3] = 0;
  CHECK(with.query.match(header) == Match::mismatch);
}

TEST_CASE("what is no plain query is not sent") {
  UpstreamQuery q;
  const auto good = make_query({.name = "www.example", .edns = 1232});
  CHECK(q.set(good));
  for (size_t n = 0; n < good.size(); ++n) CHECK_FALSE(q.set(Bytes(good).first(n)));
  for (const size_t at : {4u, 6u, 8u, 10u}) {
    auto bad = good;
    bad[at] = 1;
    CHECK_FALSE(q.set(bad));
  }
  auto pointer = good;
  pointer[12] = 0xc0;
  CHECK_FALSE(q.set(pointer));
  CHECK(q.set(make_query({.name = "."})));
}
