// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/dns_ruleset.hh"

#include <catch2/catch.hpp>

#include "agent/model/foreign_firewall.hh"

using namespace wigeon;

namespace {

size_t count(const std::string& text, std::string_view words) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(words, at)) != std::string::npos;
       at += words.size())
    ++n;
  return n;
}

}  // namespace

TEST_CASE("only the port of our addresses is translated, on both hooks") {
  const DnsRuleset table{.name = "t",
                         .resolver = {*Endpoint::parse("100.64.0.1:5053"),
                                      *Endpoint::parse("[fd00::1]:5053")}};
  const auto text = ruleset(table);
  CHECK(count(text,
              "ip daddr 100.64.0.1 udp dport 53 counter name redirected_udp "
              "dnat ip to 100.64.0.1:5053\n") == 2);
  CHECK(count(text,
              "ip6 daddr fd00::1 tcp dport 53 counter name redirected_tcp "
              "dnat ip6 to [fd00::1]:5053\n") == 2);
  CHECK(count(text, "dnat") == 8);
}

TEST_CASE("a table that drains has its chains and no rules") {
  const DnsRuleset table{
      .name = "t", .resolver = {*Endpoint::parse("100.64.0.1:5053")}, .draining = true};
  const auto text = ruleset(table);
  CHECK(count(text, "type nat hook") == 2);
  CHECK(count(text, "dnat") == 0);
}

TEST_CASE("counters are read by name") {
  // Another listing is read in the same program: each has structs of its own.
  CHECK(read_chains(R"({"nftables": [{"metainfo": {}}, {"chain": {"family": "ip",
      "table": "a", "name": "b"}}]})"));
  const auto counters = read_nft_counters(
      R"({"nftables": [{"metainfo": {"version": "1.0.6"}}, {"counter": {"family": "inet",
      "name": "redirected_udp", "table": "t", "handle": 3, "packets": 4, "bytes": 348}},
      {"counter": {"name": "redirected_tcp", "packets": 7}}]})");
  REQUIRE(counters);
  CHECK(*counters ==
        std::map<std::string, uint64_t>{{"redirected_udp", 4}, {"redirected_tcp", 7}});
  CHECK(read_nft_counters("{").error().code == EBADMSG);
}
