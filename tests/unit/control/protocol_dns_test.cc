// SPDX-License-Identifier: GPL-2.0-or-later
#include <catch2/catch.hpp>

#include "agent/control/protocol.hh"

using namespace wigeon;

TEST_CASE("a flush of one name or all survives encoding") {
  CHECK(encode(DnsFlushParams{}) == "{}");
  CHECK(decode_dns_flush("{}")->name.empty());
  const DnsFlushParams one{.name = "a.example"};
  CHECK(encode(one) == R"({"name":"a.example"})");
  CHECK(*decode_dns_flush(encode(one)) == one);
  CHECK(decode_dns_flush(R"({"name":1})").error().what == "/name: must be a string");
  CHECK(decode_dns_flush(R"({"all":true})").error().what == "/all: unknown parameter");
  CHECK(*decode_dns_flushed(encode(DnsFlushResult{UINT64_MAX})) ==
        DnsFlushResult{UINT64_MAX});
  CHECK(decode_dns_flushed(R"({"entries":-1})").error().what ==
        "/entries: must be a number from 0");
}

TEST_CASE("a query without a name is refused") {
  const DnsQueryParams q{.name = "a.example", .type = "AAAA", .tcp = true};
  CHECK(encode(q) == R"({"name":"a.example","type":"AAAA","tcp":true})");
  CHECK(*decode_dns_query(encode(q)) == q);
  CHECK(decode_dns_query("{}").error().what == "/name: must be there");
  CHECK(decode_dns_query(R"({"name":"a","tcp":1})").error().what ==
        "/tcp: must be true or false");
  CHECK(decode_dns_query(R"({"name":"a","port":1})").error().what ==
        "/port: unknown parameter");
}

TEST_CASE("what became of a query survives encoding") {
  const DnsQueryResult r{.name = "a.example.",
                         .type = "A",
                         .status = "NOERROR",
                         .flags = {"rd", "ra"},
                         .size = 44,
                         .answer = {{"a.example.", 60, "A", "192.0.2.1"}},
                         .authority = {{"example.", 60, "NS", "ns.example."}},
                         .additional = {{"ns.example.", 60, "A", "192.0.2.2"}},
                         .left_out = 1,
                         .errors = {{22, "no\nreply"}},
                         .trace = {.local = "zone",
                                   .zone = "z.",
                                   .wanted = "a.example.",
                                   .source = "match",
                                   .domain = "example.",
                                   .fell = true,
                                   .shared = true,
                                   .withheld = true,
                                   .cache = "miss",
                                   .attempts = {{"192.0.2.53:53", 1, 2, "answered"}},
                                   .took = 3}};
  CHECK(*decode_dns_queried(encode(r)) == r);
  CHECK(*decode_dns_queried("{}") == DnsQueryResult{});
  CHECK(decode_dns_queried(R"({"trace":{"attempts":[{"sentMicroseconds":"1"}]}})")
            .error()
            .what == "/trace: /attempts: /0: /sentMicroseconds: must be a number from 0");
  CHECK(decode_dns_queried(R"({"answer":{}})").error().what == "/answer: must be a list");
}
