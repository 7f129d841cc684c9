// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/record.hh"

#include <catch2/catch.hpp>

#include "dns/message.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

std::string round_trip(uint16_t type, std::string_view text) {
  std::vector<uint8_t> bytes{1, 2, 3};
  if (auto r = append_rdata(type, text, bytes); !r) {
    CHECK(bytes.size() == 3);
    return "error: " + r.error().what;
  }
  auto back = rdata_text(type, Bytes(bytes).subspan(3));
  return back ? *back : "unreadable: " + back.error().what;
}

}  // namespace

TEST_CASE("rdata text survives the wire") {
  CHECK(round_trip(type::kA, "192.0.2.1") == "192.0.2.1");
  CHECK(round_trip(type::kAaaa, "2001:DB8::1") == "2001:db8::1");
  CHECK(round_trip(type::kCname, "target.example.com") == "target.example.com.");
  CHECK(round_trip(type::kPtr, "host.example.com.") == "host.example.com.");
  CHECK(round_trip(type::kNs, "ns1.example") == "ns1.example.");
  CHECK(round_trip(type::kMx, "10 mail.example.com") == "10 mail.example.com.");
  CHECK(round_trip(type::kSrv, " 0\t5  5060 sip.example.com ") ==
        "0 5 5060 sip.example.com.");
  CHECK(round_trip(type::kSoa, "ns.x admin.x 4294967295 1 2 3 4") ==
        "ns.x. admin.x. 4294967295 1 2 3 4");
}

TEST_CASE("TXT strings may be quoted, escaped and long") {
  CHECK(round_trip(type::kTxt, "word") == "\"word\"");
  CHECK(round_trip(type::kTxt, "two words") == "\"two\" \"words\"");
  CHECK(round_trip(type::kTxt, "\"one string\"") == "\"one string\"");
  CHECK(round_trip(type::kTxt, "\"a\\\"b\\\\c\\009\"") == "\"a\\\"b\\\\c\\009\"");
  CHECK(round_trip(type::kTxt, "\"\"") == "\"\"");
  CHECK(round_trip(type::kTxt, std::string(300, 'x')) ==
        "\"" + std::string(255, 'x') + "\" \"" + std::string(45, 'x') + "\"");
}

TEST_CASE("text that is not rdata is refused with the field that is wrong") {
  CHECK(round_trip(type::kA, "2001:db8::1") ==
        "error: '2001:db8::1' is not an IPv4 address");
  CHECK(round_trip(type::kAaaa, "192.0.2.1") ==
        "error: '192.0.2.1' is not an IPv6 address");
  CHECK(round_trip(type::kA, "") == "error: the address is missing");
  CHECK(round_trip(type::kA, "192.0.2.1 x") == "error: unexpected 'x'");
  CHECK(round_trip(type::kMx, "mail.example.com") ==
        "error: the preference 'mail.example.com': not a decimal number");
  CHECK(round_trip(type::kMx, "65536 mail") ==
        "error: the preference '65536': larger than 65535");
  CHECK(round_trip(type::kMx, "10") == "error: the exchange is missing");
  CHECK(round_trip(type::kCname, "a..b") == "error: the target 'a..b': a label is empty");
  CHECK(round_trip(type::kTxt, "\"open") == "error: a quote is not closed");
  CHECK(round_trip(type::kTxt, "") == "error: the text is missing");
  CHECK(round_trip(99, "x") == "error: records of type TYPE99 are not supported");
}

TEST_CASE("foreign rdata is checked before it is printed") {
  const std::vector<uint8_t> three{1, 2, 3}, five{1, 2, 3, 4, 5};
  CHECK_FALSE(rdata_text(type::kA, three));
  CHECK_FALSE(rdata_text(type::kA, five));
  CHECK_FALSE(rdata_text(type::kMx, three));
  CHECK(rdata_text(99, three) == "\\# 3 010203");
  CHECK(rdata_text(99, {}) == "\\# 0");
}

TEST_CASE("types have names and numbers") {
  CHECK(type_text(type::kAaaa) == "AAAA");
  CHECK(type_text(65) == "TYPE65");
  CHECK(*parse_type("SRV") == type::kSrv);
  CHECK(*parse_type("TYPE65") == 65);
  CHECK_FALSE(parse_type("TYPE65536"));
  CHECK_FALSE(parse_type("bogus"));
}
