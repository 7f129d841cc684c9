// SPDX-License-Identifier: GPL-2.0-or-later
// The rules about the query itself; what is answered is in tests/scenario.
#include "dns/answer.hh"

#include <catch2/catch.hpp>

#include "dns/access.hh"
#include "dns/rate.hh"
#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const Zones> zones_of(std::vector<RecordConfig> records) {
  return *Zones::build({{"corp.test", std::move(records)}}, {});
}

const auto kZones = zones_of({{"a.corp.test", type::kA, 60, "100.64.0.1"}});

struct Replied {
  Answer::Kind kind{};
  std::vector<uint8_t> bytes{};
};

Replied reply_to(Bytes query, Transport transport = Transport::udp,
                 const Zones& zones = *kZones) {
  std::vector<uint8_t> out(transport == Transport::udp ? kUdpPayload : kMaxMessage);
  Asked asked;
  Question wanted;
  const auto a = answer(query, transport, Asker::host, zones, 0, out, asked, wanted);
  out.resize(a.size);
  return {a.kind, out};
}

std::string reply_text(Bytes query, Transport transport = Transport::udp,
                       const Zones& zones = *kZones) {
  const auto r = reply_to(query, transport, zones);
  switch (r.kind) {
    case Answer::Kind::drop:
      return "dropped";
    case Answer::Kind::ask:
      return "asked upstream";
    case Answer::Kind::reply:
      break;
  }
  return text(r.bytes);
}

// A name with so many addresses that they do not fit a datagram.
std::shared_ptr<const Zones> big_set(uint32_t n) {
  std::vector<RecordConfig> records;
  for (uint32_t i = 0; i < n; ++i)
    records.push_back({"big.corp.test", type::kA, 60, Address::v4(i).text()});
  return zones_of(std::move(records));
}

}  // namespace

TEST_CASE("replies and fragments of messages are never replied to") {
  auto m = make_query({.name = "a.corp.test"});
  m[2] |= 0x80;
  CHECK(reply_text(m) == "dropped");
  m[2] &= 0x7f;
  for (size_t n = 0; n < kHeaderSize; ++n)
    CHECK(reply_text(Bytes(m).first(n)) == "dropped");
  // From the header on there is an id to reply to.
  for (size_t n = kHeaderSize; n < m.size(); ++n)
    CHECK(reply_text(Bytes(m).first(n)) == "FORMERR rd\n0 questions\n");
}

TEST_CASE("the id, RD and CD come back, AD does not") {
  const auto r = reply_to(make_query(
      {.name = "a.corp.test", .id = 0xbeef, .flags = flag::kCd | flag::kAd | flag::kZ}));
  CHECK((r.bytes[0] << 8 | r.bytes[1]) == 0xbeef);
  CHECK(text(r.bytes) == "NOERROR aa ra cd\nanswer a.corp.test. 60 A 100.64.0.1\n");
}

TEST_CASE("the question comes back in the client's spelling") {
  const auto r = reply_to(make_query({.name = "A.cOrP.tEsT"}));
  Reader in(r.bytes);
  REQUIRE(in.header());
  CHECK(in.question()->name.text() == "A.cOrP.tEsT.");
}

TEST_CASE("anything but one question of a plain query is told so") {
  auto m = make_query({.name = "a.corp.test"});
  m[2] = 0x28;  // UPDATE
  CHECK(reply_text(m).starts_with("NOTIMP"));
  m[2] = 0x01;
  m[5] = 0;
  CHECK(reply_text(m).starts_with("FORMERR"));
  m[5] = 2;
  CHECK(reply_text(m).starts_with("FORMERR"));
  m[5] = 1;
  m.push_back(0);
  CHECK(reply_text(m).starts_with("FORMERR"));
  m.pop_back();
  m[11] = 1;  // an additional record that is not there
  CHECK(reply_text(m).starts_with("FORMERR"));
}

TEST_CASE("types that are no question are refused") {
  CHECK(reply_text(make_query({.name = "a.corp.test", .type = type::kOpt})) ==
        "FORMERR rd ra\n");
  CHECK(reply_text(make_query({.name = "corp.test", .type = type::kAxfr})) ==
        "REFUSED rd ra\n");
  CHECK(reply_text(make_query({.name = "example.com", .type = type::kMaila})) ==
        "NOTIMP rd ra\n");
  CHECK(
      reply_text(make_query({.name = "version.bind", .type = type::kTxt, .klass = 3})) ==
      "REFUSED rd ra\n");
}

TEST_CASE("EDNS is answered in kind and only in kind") {
  const std::string record = "answer a.corp.test. 60 A 100.64.0.1\n";
  CHECK(reply_text(make_query({.name = "a.corp.test"})) == "NOERROR aa rd ra\n" + record);
  CHECK(reply_text(make_query({.name = "a.corp.test", .edns = 4096})) ==
        "NOERROR aa rd ra\n" + record + "opt 1232\n");
  CHECK(reply_text(make_query({.name = "a.corp.test", .edns = 0, .dnssec_ok = true})) ==
        "NOERROR aa rd ra\n" + record + "opt 1232 do\n");
}

TEST_CASE("an EDNS version of the future gets BADVERS and ours") {
  auto m = make_query({.name = "a.corp.test", .edns = 1232});
  m[m.size() - 5] = 1;
  CHECK(reply_text(m) == "BADVERS rd ra\nopt 1232\n");
}

TEST_CASE("unknown EDNS options and flags are ignored and not echoed") {
  auto m = make_query({.name = "a.corp.test", .edns = 1232});
  m[m.size() - 3] = 0x7f;  // flags beside DO
  m[m.size() - 1] = 8;     // COOKIE, 4 bytes
  m.insert(m.end(), {0, 10, 0, 4, 1, 2, 3, 4});
  CHECK(reply_text(m) ==
        "NOERROR aa rd ra\nanswer a.corp.test. 60 A 100.64.0.1\nopt 1232\n");
}

TEST_CASE("two OPT records, or one with a name, are malformed") {
  auto m = make_query({.name = "a.corp.test", .edns = 1232});
  const std::vector<uint8_t> opt(m.end() - kOptSize, m.end());
  m.insert(m.end(), opt.begin(), opt.end());
  m[11] = 2;
  CHECK(reply_text(m).starts_with("FORMERR"));
  auto named = make_query({.name = "a.corp.test", .edns = 1232});
  const uint8_t pointer[] = {0xc0, 12};
  named.erase(named.end() - kOptSize);
  named.insert(named.end() - kOptSize + 1, std::begin(pointer), std::end(pointer));
  CHECK(reply_text(named).starts_with("FORMERR"));
}

TEST_CASE("a reply over UDP fits the client and 1232 bytes, or says so") {
  const auto zones = big_set(100);  // 1600 bytes of records
  const auto size = [&](int edns, Transport t = Transport::udp) {
    const auto r =
        reply_to(make_query({.name = "big.corp.test", .edns = edns}), t, *zones);
    const bool cut = r.bytes[2] & flag::kTc >> 8;
    CHECK(
        text(r.bytes).starts_with(cut ? "NOERROR aa tc rd ra\n" : "NOERROR aa rd ra\n"));
    return cut ? 0 : r.bytes.size();
  };
  CHECK(size(-1) == 0);
  CHECK(size(4096) == 0);
  CHECK(size(65535) == 0);
  CHECK(size(-1, Transport::tcp) == 12 + 19 + 100 * 16);
  // At the border: 29 records and the question are 495 bytes, 30 are 511, 31 are 527.
  const auto fits = [&](uint32_t n, int edns) {
    const auto set = big_set(n);
    const auto r = reply_to(make_query({.name = "big.corp.test", .edns = edns}),
                            Transport::udp, *set);
    CHECK(r.bytes.size() <= 512);
    return !(r.bytes[2] & flag::kTc >> 8);
  };
  CHECK(fits(30, -1));
  CHECK_FALSE(fits(31, -1));
  CHECK(fits(29, 512));
  CHECK_FALSE(fits(30, 512));
  CHECK(fits(29, 100));  // sizes below 512 mean 512
}

TEST_CASE("a truncated reply holds the question and nothing else") {
  const auto zones = big_set(100);
  CHECK(reply_text(make_query({.name = "big.corp.test", .edns = 600}), Transport::udp,
                   *zones) == "NOERROR aa tc rd ra\nopt 1232\n");
}

TEST_CASE("a forwarded reply is cut to the client's size, not the server's") {
  Asked asked;
  Question wanted;
  std::vector<uint8_t> out(kUdpPayload);
  const auto query = make_query({.name = "example.com", .type = type::kTxt});
  REQUIRE(
      answer(query, Transport::udp, Asker::host, *kZones, 0, out, asked, wanted).kind ==
      Answer::Kind::ask);
  const auto upstream = make_reply(
      query, "NOERROR", {"answer example.com 60 TXT " + std::string(600, 'x')});
  out.resize(complete(asked, upstream, *kZones, 0, out));
  CHECK(text(out) == "NOERROR tc rd ra\n");
}

TEST_CASE("an extended rcode of an upstream server reaches clients with EDNS") {
  Asked asked;
  Question wanted;
  std::vector<uint8_t> out(kUdpPayload);
  const auto query = make_query({.name = "example.com", .edns = 1232});
  REQUIRE(
      answer(query, Transport::udp, Asker::host, *kZones, 0, out, asked, wanted).kind ==
      Answer::Kind::ask);
  out.resize(complete(asked, make_reply(query, "BADVERS", {}), *kZones, 0, out));
  CHECK(text(out) == "BADVERS rd ra\nopt 1232\n");
}

TEST_CASE("only loopback, own addresses and allowed prefixes may ask") {
  const Access access{{*Address::parse("100.64.0.1")}, {*Prefix::parse("10.1.0.0/16")}};
  const auto who = [&](const char* source) {
    return who_asks(access, {*Address::parse(source), 40000}, 0);
  };
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "100.64.0.1"})
    CHECK(who(host) == Asker::host);
  CHECK(who("10.1.255.1") == Asker::peer);
  for (const char* other : {"100.64.0.2", "10.2.0.1", "192.0.2.1", "fe80::1"})
    CHECK(who(other) == std::nullopt);
  const Access all{{}, {*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")}};
  for (const char* never : {"224.0.0.1", "ff02::1", "255.255.255.255", "0.0.0.0", "::"})
    CHECK(who_asks(all, {*Address::parse(never), 53}, 0) == std::nullopt);
  CHECK(who_asks(access, {*Address::parse("127.0.0.1"), 0}, 0) == std::nullopt);
}

TEST_CASE("queries come in by loopback and by the interfaces that are named") {
  const Access access{{}, {*Prefix::parse("10.1.0.0/16")}, {7, 9}};
  const Endpoint peer{*Address::parse("10.1.0.1"), 40000};
  for (const uint32_t good : {1u, 7u, 9u}) CHECK(who_asks(access, peer, good));
  for (const uint32_t bad : {0u, 2u, 8u}) CHECK_FALSE(who_asks(access, peer, bad));
}

TEST_CASE("a peer's datagram gets at most three times its size, and may come over TCP") {
  const auto zones =
      *Zones::build({{"corp.test",
                      {{"t.corp.test", type::kTxt, 60, std::string(150, 'x')},
                       {"a.corp.test", type::kA, 60, "100.64.0.1"}}}},
                    {});
  const auto reply = [&](const QueryText& q, Transport transport, Asker asker) {
    const auto query = make_query(q);
    Asked asked;
    Question wanted;
    std::vector<uint8_t> out(kMaxMessage);
    const auto a = answer(query, transport, asker, *zones, 0, out, asked, wanted);
    REQUIRE(a.kind == Answer::Kind::reply);
    if (asker == Asker::peer && transport == Transport::udp)
      CHECK(a.size <= kMaxAmplification * query.size());
    out.resize(a.size);
    return text(out);
  };
  const QueryText large{.name = "t.corp.test", .type = type::kTxt, .edns = 1232};
  CHECK(reply(large, Transport::udp, Asker::peer) == "NOERROR aa tc rd ra\nopt 1232\n");
  CHECK(reply(large, Transport::udp, Asker::host).find("answer") != std::string::npos);
  CHECK(reply(large, Transport::tcp, Asker::peer).find("answer") != std::string::npos);
  CHECK(reply({.name = "a.corp.test"}, Transport::udp, Asker::peer).find("answer") !=
        std::string::npos);
  CHECK(reply({.name = "no.corp.test"}, Transport::udp, Asker::peer).find("SOA") !=
        std::string::npos);
}

TEST_CASE("a peer may ask 200 times at once and 200 times a second") {
  RateLimit rate(1);
  const auto ask = [&](const char* peer, auto now) {
    return rate.take(*Address::parse(peer), now);
  };
  const std::chrono::microseconds start = 1h;
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += ask("100.64.0.2", start);
  CHECK(taken == 200);
  CHECK(ask("100.64.0.3", start));
  CHECK_FALSE(ask("100.64.0.2", start + 4ms));
  CHECK(ask("100.64.0.2", start + 5ms));
  taken = 0;
  for (int i = 0; i < 10'000; ++i) taken += ask("100.64.0.2", start + 5ms + i * 1ms);
  CHECK(taken == 1999);
}

TEST_CASE("more peers than places are served, and the busiest stays limited") {
  RateLimit rate(1);
  const std::chrono::microseconds now = 1h;
  const Address busy = *Address::parse("fd00::1");
  while (rate.take(busy, now)) {
  }
  for (uint32_t i = 0; i < 3 * RateLimit::kPlaces; ++i)
    CHECK(rate.take(Address::v4(0x64400000 + i), now));
  CHECK_FALSE(rate.take(busy, now));
}
