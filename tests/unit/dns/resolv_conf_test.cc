// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/resolv_conf.hh"

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace wigeon::dns;

namespace {

std::string servers(std::string_view text) {
  std::string out;
  for (const auto& s : parse_resolv_conf(text).nameservers)
    out += s.address.text() + (s.zone.empty() ? "" : "%" + s.zone) + " ";
  return out;
}

}  // namespace

TEST_CASE("nameservers are read with comments, zones and odd blanks") {
  CHECK(servers("nameserver 192.0.2.1\n") == "192.0.2.1 ");
  CHECK(servers("nameserver 192.0.2.1 # eth0\nnameserver\t2001:db8::1\t; wlan0\n") ==
        "192.0.2.1 2001:db8::1 ");
  CHECK(servers("nameserver fe80::1%eth0") == "fe80::1%eth0 ");
  CHECK(servers("nameserver 192.0.2.1\r\nnameserver 192.0.2.2\r\n") ==
        "192.0.2.1 192.0.2.2 ");
  CHECK(servers("  nameserver 192.0.2.1 trailing words") == "192.0.2.1 ");
  CHECK(servers("nameserver 192.0.2.1\nnameserver 192.0.2.1") == "192.0.2.1 ");
}

TEST_CASE("what is not a nameserver is skipped") {
  CHECK(servers("# nameserver 192.0.2.1\n;nameserver 192.0.2.2\n") == "");
  CHECK(servers("nameserver\nnameserver dns.example.com\nnameserver 300.1.1.1\n") == "");
  CHECK(servers("nameservers 192.0.2.1\nNAMESERVER 192.0.2.1") == "");
  CHECK(servers("nameserver fe80::1%averyveryverylonginterface") == "");
  CHECK(servers("") == "");
}

TEST_CASE("the last search or domain line counts, options add up") {
  const auto c = parse_resolv_conf(
      "domain one.example\n"
      "search a.example b.example # work\n"
      "options ndots:2 edns0\noptions rotate\n");
  CHECK(c.search == std::vector<std::string>{"a.example", "b.example"});
  CHECK(c.options == std::vector<std::string>{"ndots:2", "edns0", "rotate"});
  CHECK(parse_resolv_conf("search a\ndomain one.example two").search ==
        std::vector<std::string>{"one.example"});
  CHECK(parse_resolv_conf("search .").search == std::vector<std::string>{"."});
}

TEST_CASE("a link-local server is on the interface of its zone, or nowhere") {
  const auto there = [](const char* address, const char* zone) {
    const auto e = endpoint_of({*Address::parse(address), zone});
    return e ? e->text() : "nowhere";
  };
  CHECK(there("192.0.2.1", "") == "192.0.2.1:53");
  CHECK(there("fe80::1", "lo") == "[fe80::1%1]:53");
  CHECK(there("fe80::1", "7") == "[fe80::1%7]:53");
  CHECK(there("fe80::1", "") == "nowhere");
  CHECK(there("fe80::1", "gone0") == "nowhere");
  CHECK(there("2001:db8::1", "gone0") == "[2001:db8::1]:53");
}

TEST_CASE("a hostile file costs a bounded amount") {
  std::string many;
  for (int i = 0; i < 5000; ++i)
    many += "nameserver 10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256) +
            "\nsearch " + std::string(i % 300, 'a') + " b\noptions x\n";
  const auto c = parse_resolv_conf(many);
  CHECK(c.nameservers.size() == kMaxNameservers);
  CHECK(c.options.size() <= kMaxSearch);
  CHECK(c.search.size() <= kMaxSearch);
}
