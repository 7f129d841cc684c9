// SPDX-License-Identifier: GPL-2.0-or-later
// Answers from our zones take no memory from the heap. In a program of its own, since it
// replaces operator new.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>

#include "dns/service.hh"
#include "tests/scenario/message_text.hh"

namespace {
size_t allocations = 0;
}

void* operator new(size_t n) {
  ++allocations;
  void* p = std::malloc(n);
  if (!p) throw std::bad_alloc();
  return p;
}
void* operator new(size_t n, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(n);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

using namespace wigeon;
using namespace wigeon::dns;

namespace {

struct Nobody : Exchange {
  Result<void> set_servers(std::span<const Endpoint>) override { return {}; }
  void send(const Endpoint&, Bytes, Transport, std::chrono::milliseconds, Done) override {
  }
};

// Has an answer for every name.
struct Somebody : Nobody {
  void send(const Endpoint&, Bytes query, Transport, std::chrono::milliseconds,
            Done done) override {
    Reader in(query);
    (void)in.header();
    const auto q = *in.question();
    const std::string name = name_text(q.name.wire());
    const std::vector<std::string> addresses{
        "answer " + name + " 60 CNAME end.test", "answer end.test 60 A 192.0.2.1",
        "answer end.test 60 A 192.0.2.2", "answer end.test 60 A 192.0.2.3"};
    const std::vector<std::string> soa{"authority test 60 SOA ns.test h.test 1 2 3 4 60"};
    const auto reply = make_reply(query,
                                  name.starts_with("bad") ? "SERVFAIL"
                                  : q.type == type::kA    ? "NOERROR"
                                                          : "NXDOMAIN",
                                  q.type == type::kA ? addresses : soa);
    if (name.starts_with("slow")) return done({Outcome::End::no_reply, {}});
    done({Outcome::End::replied, reply});
  }
};

}  // namespace

TEST_CASE("a local answer allocates nothing") {
  Nobody nobody;
  Service service(nobody);
  service.replace_zones(
      *Zones::build({{"corp.test",
                      {{"a.corp.test", type::kA, 60, "100.64.0.1"},
                       {"a.corp.test", type::kA, 60, "100.64.0.2"},
                       {"www.corp.test", type::kCname, 60, "a.corp.test"},
                       {"*.apps.corp.test", type::kCname, 60, "a.corp.test"}}}},
                    {*Prefix::parse("100.64.0.0/10")}));
  for (const QueryText& q : std::initializer_list<QueryText>{
           {.name = "a.corp.test"},
           {.name = "WWW.corp.test", .edns = 1232},
           {.name = "x.apps.corp.test"},
           {.name = "missing.corp.test"},
           {.name = "a.corp.test", .type = type::kAaaa},
           {.name = "1.0.64.100.in-addr.arpa", .type = type::kPtr},
           {.name = "localhost"},
           {.name = "corp.test", .type = type::kSoa},
           {.name = "a.corp.test", .klass = 3}}) {
    const auto bytes = make_query(q);
    const size_t before = allocations;
    const auto a = service.handle(bytes, Transport::udp);
    const size_t after = allocations;
    INFO(q.name);
    CHECK(a.kind == Answer::Kind::reply);
    CHECK(after == before);
  }
}

TEST_CASE("an answer from the cache allocates nothing") {
  Somebody somebody;
  Service::Time now{};
  Service service(somebody, [&] { return now; });
  const auto servers = {*Endpoint::parse("192.0.2.53:53")};
  REQUIRE(
      service.set_upstreams({.groups = {{.domains = {"corp.test"}, .servers = {servers}}},
                             .originals = {servers}}));
  service.set_serve_stale(std::chrono::seconds(60));
  service.replace_zones(*Zones::build(
      {{"ours.test", {{"www.ours.test", type::kCname, 60, "c.example.test"}}}},
      {*Prefix::parse("100.64.0.0/10")}));
  for (const QueryText& q : std::initializer_list<QueryText>{
           {.name = "a.example.test"},
           {.name = "A.Example.Test", .edns = 1232},
           {.name = "b.corp.test", .edns = 1232, .dnssec_ok = true},
           {.name = "a.example.test", .type = type::kAaaa},
           {.name = "www.ours.test"},
           {.name = "bad.example.test", .edns = 1232},
           {.name = "slow.example.test"}}) {
    const auto bytes = make_query(q);
    INFO(q.name);
    int replies = 0;
    if (service.handle(bytes, Transport::udp).kind == Answer::Kind::ask)
      service.ask(now, [&](Bytes) { ++replies; });
    const size_t before = allocations;
    const auto a = service.handle(bytes, Transport::udp);
    const size_t after = allocations;
    CHECK(a.kind == Answer::Kind::reply);
    CHECK(after == before);
  }
  CHECK(service.statistics().cache.hits == 8);  // "A.Example.Test" twice
  CHECK(service.statistics().cache.misses == 6);
}
