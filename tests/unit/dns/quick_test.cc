// SPDX-License-Identifier: GPL-2.0-or-later
// The short way is the long way, only shorter.
#include "dns/quick.hh"

#include <catch2/catch.hpp>
#include <random>

#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

const auto kZones =
    *Zones::build({{"corp.test",
                    {{"a.corp.test", type::kA, 60, "100.64.0.1"},
                     {"a.corp.test", type::kA, 60, "100.64.0.2"},
                     {"a.corp.test", type::kAaaa, 60, "fd00::1"},
                     {"www.corp.test", type::kCname, 60, "a.corp.test"},
                     {"*.w.corp.test", type::kA, 7, "100.64.0.3"}}},
                   {"soa.test",
                    {{"soa.test", type::kSoa, 60, "ns.soa.test h.soa.test 1 2 3 4 5"},
                     {"a.soa.test", type::kA, 60, "100.64.0.4"}}},
                   {"soft.test", {{"a.soft.test", type::kA, 60, "100.64.0.5"}}, true}},
                  {*Prefix::parse("100.64.0.0/10")});

constexpr const char* kNames[] = {"a.corp.test",
                                  "A.CoRp.TeST",
                                  "b.corp.test",
                                  "corp.test",
                                  "www.corp.test",
                                  "x.y.w.corp.test",
                                  "w.corp.test",
                                  "a.soa.test",
                                  "b.soa.test",
                                  "a.soft.test",
                                  "b.soft.test",
                                  "1.0.64.100.in-addr.arpa",
                                  "9.9.64.100.in-addr.arpa",
                                  "example.com",
                                  "localhost",
                                  "[\\@`z{Z.corp.test",
                                  "."};

// How the two differ; "quick" or "left" when they do not.
std::string compare(Bytes query, Transport transport, Asker asker) {
  const size_t room = transport == Transport::udp ? kUdpPayload : kMaxMessage;
  std::vector<uint8_t> quick(room), full(room);
  quick.resize(quick_answer(query, transport, asker, *kZones, 1, quick));
  if (quick.empty()) return "left";
  Asked asked;
  Question wanted;
  const auto a = answer(query, transport, asker, *kZones, 1, full, asked, wanted);
  full.resize(a.size);
  if (a.kind == Answer::Kind::reply && quick == full) return "quick";
  return "quick:\n" + text(quick) + "full:\n" + text(full);
}

void each_query(auto f) {
  for (const char* name : kNames)
    for (const uint16_t t : {type::kA, type::kAaaa, type::kTxt, type::kAny})
      for (const uint16_t flags :
           {uint16_t{0}, flag::kRd, flag::kCd, flag::kAd, flag::kZ})
        for (const int edns : {-1, 0, 512, 1232, 65535})
          for (const bool dnssec_ok : {false, true}) {
            if (dnssec_ok && edns < 0) continue;
            f(QueryText{.name = name,
                        .type = t,
                        .flags = flags,
                        .edns = edns,
                        .dnssec_ok = dnssec_ok});
          }
}

}  // namespace

TEST_CASE("the short way gives the bytes of the long one") {
  int quick = 0;
  each_query([&](const QueryText& q) {
    for (const Transport transport : {Transport::udp, Transport::tcp})
      for (const Asker asker : {Asker::host, Asker::peer}) {
        const auto how = compare(make_query(q), transport, asker);
        if (how == "quick") {
          ++quick;
        } else if (how != "left") {
          INFO(q.name << " " << q.type << " " << q.edns);
          CHECK(how == "");
        }
      }
  });
  CHECK(quick > 1000);
}

TEST_CASE("the short way takes what is asked most") {
  for (const char* name : {"a.corp.test", "A.corp.TEST", "b.corp.test", "x.w.corp.test"})
    for (const int edns : {-1, 1232}) {
      INFO(name);
      CHECK(compare(make_query({.name = name, .edns = edns}), Transport::udp,
                    Asker::host) == "quick");
    }
}

TEST_CASE(
    "the short way gives the bytes of the long one, whatever is changed in a query") {
  std::minstd_rand random(3);
  std::vector<std::vector<uint8_t>> queries;
  each_query([&](const QueryText& q) { queries.push_back(make_query(q)); });
  int quick = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto q = queries[random() % queries.size()];
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      q[random() % q.size()] = static_cast<uint8_t>(random());
    if (random() % 4 == 0) q.resize(random() % (q.size() + 4));
    const auto how = compare(q, Transport::udp, Asker::host);
    if (how == "quick") {
      ++quick;
    } else if (how != "left") {
      CHECK(how == "");
    }
  }
  CHECK(quick > 1000);
}
