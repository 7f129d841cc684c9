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
