// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/name.hh"

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace wigeon::dns;

namespace {

std::string round_trip(std::string_view text) {
  auto name = Name::parse(text);
  return name ? name->text() : "error: " + name.error().what;
}

std::string reversed(std::string_view name) {
  const Name lowered = Name::parse(name)->lowered();
  const auto r = parse_reverse(lowered.wire());
  if (!r) return "none";
  return r->network.text() + " " + name_text(r->name) + (r->exact ? " exact" : "");
}

}  // namespace

TEST_CASE("names are printed absolute, whatever the last dot was") {
  CHECK(round_trip("www.example.com") == "www.example.com.");
  CHECK(round_trip("www.example.com.") == "www.example.com.");
  CHECK(round_trip(".") == ".");
  CHECK(round_trip("_ldap._TCP.dc") == "_ldap._TCP.dc.");
}

TEST_CASE("dots and odd bytes inside a label are escaped") {
  CHECK(round_trip("a\\.b.c") == "a\\.b.c.");
  CHECK(round_trip("a\\046b.c") == "a\\.b.c.");
  CHECK(round_trip("\\000\\255.x") == "\\000\\255.x.");
  CHECK(round_trip("back\\\\slash") == "back\\\\slash.");
  CHECK(Name::parse("a\\.b")->labels() == 1);
}

TEST_CASE("malformed names are refused with a reason") {
  CHECK(round_trip("") == "error: the name is empty");
  CHECK(round_trip("..") == "error: a label is empty");
  CHECK(round_trip(".com") == "error: a label is empty");
  CHECK(round_trip("a..b") == "error: a label is empty");
  CHECK(round_trip("a\\") == "error: an escape is not \\DDD or \\X");
  CHECK(round_trip("a\\12") == "error: an escape is not \\DDD or \\X");
  CHECK(round_trip("a\\256") == "error: an escape is larger than \\255");
}

TEST_CASE("labels end at 63 bytes and names at 255") {
  const std::string label(63, 'x');
  CHECK(Name::parse(label));
  CHECK_FALSE(Name::parse(label + "x"));
  const std::string most = label + "." + label + "." + label + "." + std::string(61, 'x');
  CHECK(Name::parse(most)->wire().size() == 255);
  CHECK_FALSE(Name::parse(most + "x"));
  CHECK_FALSE(Name::parse(most + ".y"));
}

TEST_CASE("case does not matter to comparison and hash, but is kept") {
  const auto a = *Name::parse("WWW.Example.COM"), b = *Name::parse("www.example.com");
  CHECK(a == b);
  CHECK(hash_name(a.lowered().wire()) == hash_name(b.wire()));
  CHECK(a.text() == "WWW.Example.COM.");
  // Only ASCII letters: '[' and '{' differ by the same bit and are not the same.
  CHECK_FALSE(*Name::parse("a[") == *Name::parse("a{"));
}

TEST_CASE("being within a zone is a matter of labels, not of text") {
  const auto within = [](const char* a, const char* b) {
    return is_within(Name::parse(a)->wire(), Name::parse(b)->wire());
  };
  CHECK(within("a.example.com", "EXAMPLE.com"));
  CHECK(within("example.com", "example.com"));
  CHECK(within("example.com", "."));
  CHECK_FALSE(within("badexample.com", "example.com"));
  CHECK_FALSE(within("com", "example.com"));
}

TEST_CASE("wire names are taken only whole") {
  const uint8_t good[] = {1, 'a', 0}, open[] = {1, 'a'}, more[] = {1, 'a', 0, 0},
                pointer[] = {0xc0, 0x0c};
  CHECK(Name::from_wire(good)->text() == "a.");
  CHECK_FALSE(Name::from_wire(open));
  CHECK_FALSE(Name::from_wire(more));
  CHECK_FALSE(Name::from_wire(pointer));
  CHECK_FALSE(Name::from_wire({}));
}

TEST_CASE("addresses have reverse names") {
  CHECK(Name::reverse(*Address::parse("192.0.2.1")).text() == "1.2.0.192.in-addr.arpa.");
  CHECK(Name::reverse(*Address::parse("2001:db8::567:89ab")).text() ==
        "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
}

TEST_CASE("reverse names give the network they spell") {
  CHECK(reversed("1.2.0.192.in-addr.arpa") ==
        "192.0.2.1/32 1.2.0.192.in-addr.arpa. exact");
  CHECK(reversed("0.192.IN-ADDR.arpa") == "192.0.0.0/16 0.192.in-addr.arpa. exact");
  CHECK(reversed("in-addr.arpa") == "0.0.0.0/0 in-addr.arpa. exact");
  CHECK(reversed("0/25.2.0.192.in-addr.arpa") == "192.0.2.0/24 2.0.192.in-addr.arpa.");
  CHECK(reversed("256.192.in-addr.arpa") == "192.0.0.0/8 192.in-addr.arpa.");
  CHECK(reversed("01.192.in-addr.arpa") == "192.0.0.0/8 192.in-addr.arpa.");
  CHECK(reversed("9.1.2.0.192.in-addr.arpa") == "192.0.2.1/32 1.2.0.192.in-addr.arpa.");
  CHECK(reversed("8.b.d.0.1.0.0.2.ip6.arpa") ==
        "2001:db8::/32 8.b.d.0.1.0.0.2.ip6.arpa. exact");
  CHECK(reversed("g.2.ip6.arpa") == "2000::/4 2.ip6.arpa.");
  CHECK(reversed("example.com") == "none");
  CHECK(reversed("arpa") == "none");
}

TEST_CASE("every address survives its reverse name") {
  for (const char* text : {"0.0.0.0", "100.64.0.1", "255.255.255.255", "::", "fd00::1",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    const auto a = *Address::parse(text);
    const Name name = Name::reverse(a);
    const auto r = parse_reverse(name.wire());
    REQUIRE(r);
    CHECK(r->exact);
    CHECK(r->network == Prefix::host(a));
  }
}
