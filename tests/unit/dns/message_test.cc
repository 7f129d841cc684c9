// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/message.hh"

#include <catch2/catch.hpp>
#include <vector>

#include "dns/record.hh"
#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

// Twelve bytes of header, then what a case is about.
std::vector<uint8_t> after_header(std::initializer_list<int> bytes) {
  std::vector<uint8_t> m(kHeaderSize);
  for (const int b : bytes) m.push_back(static_cast<uint8_t>(b));
  return m;
}

std::string name_in(const std::vector<uint8_t>& m, size_t at = kHeaderSize) {
  auto name = read_name(m, at);
  return name ? name->text() + " then " + std::to_string(at)
              : "error: " + name.error().what;
}

Name name(std::string_view text) { return *Name::parse(text); }

}  // namespace

TEST_CASE("the compressed names of RFC 1035 section 4.1.4 are read") {
  std::vector<uint8_t> m(20);
  const uint8_t first[] = {1, 'F', 3, 'I', 'S', 'I', 4, 'A', 'R', 'P', 'A', 0};
  m.insert(m.end(), std::begin(first), std::end(first));
  m.resize(40);
  const uint8_t second[] = {3, 'F', 'O', 'O', 0xc0, 20};
  m.insert(m.end(), std::begin(second), std::end(second));
  m.resize(64);
  m.insert(m.end(), {0xc0, 26});
  m.resize(92);
  m.push_back(0);
  CHECK(name_in(m, 20) == "F.ISI.ARPA. then 32");
  CHECK(name_in(m, 40) == "FOO.F.ISI.ARPA. then 46");
  CHECK(name_in(m, 64) == "ARPA. then 66");
  CHECK(name_in(m, 92) == ". then 93");
}

TEST_CASE("compression pointers must lead strictly backwards") {
  const std::string backwards = "error: a compression pointer does not lead backwards";
  CHECK(name_in(after_header({0xc0, 12})) == backwards);             // to itself
  CHECK(name_in(after_header({1, 'a', 0xc0, 12})) == backwards);     // into its own start
  CHECK(name_in(after_header({1, 'a', 0xc0, 14})) == backwards);     // to its pointer
  CHECK(name_in(after_header({0xc0, 14, 1, 'a', 0})) == backwards);  // forwards
  CHECK(name_in(after_header({0xc0, 0})) == backwards);              // into the header
  CHECK(name_in(after_header({0xff, 0xff})) == backwards);
  // Two names that point at each other.
  CHECK(name_in(after_header({0xc0, 14, 0xc0, 12}), 14) == backwards);
}

TEST_CASE("names that are cut off or malformed are refused") {
  CHECK(name_in(after_header({})) == "error: cut off");
  CHECK(name_in(after_header({3, 'a', 'b'})) == "error: cut off");
  CHECK(name_in(after_header({1, 'a'})) == "error: cut off");
  CHECK(name_in(after_header({0xc0})) == "error: cut off");
  CHECK(name_in(after_header({0x40, 0})) == "error: unknown label type");
  CHECK(name_in(after_header({0x80, 0})) == "error: unknown label type");
}

TEST_CASE("a chain of pointers ends after 126 jumps") {
  std::vector<uint8_t> m(kHeaderSize);
  m.push_back(0);
  size_t last = kHeaderSize;
  for (int jumps = 1; jumps <= 127; ++jumps) {
    const size_t here = m.size();
    m.push_back(static_cast<uint8_t>(0xc0 | last >> 8));
    m.push_back(static_cast<uint8_t>(last));
    last = here;
    if (jumps == 126) CHECK(name_in(m, here) == ". then " + std::to_string(here + 2));
  }
  CHECK(name_in(m, last) == "error: too many compression pointers");
}

TEST_CASE("pointers cannot build a name of more than 255 bytes") {
  std::vector<uint8_t> m(kHeaderSize);
  std::vector<size_t> starts;
  for (int i = 0; i < 5; ++i) {
    const size_t here = m.size();
    m.push_back(63);
    m.resize(m.size() + 63, 'x');
    if (starts.empty()) {
      m.push_back(0);
    } else {
      m.push_back(static_cast<uint8_t>(0xc0 | starts.back() >> 8));
      m.push_back(static_cast<uint8_t>(starts.back()));
    }
    starts.push_back(here);
  }
  size_t at = starts[2];
  CHECK(read_name(m, at));
  at = starts[3];
  CHECK_FALSE(read_name(m, at));
}

TEST_CASE("the writer points at the longest name it knows") {
  std::vector<uint8_t> buffer(512);
  Writer w(buffer);
  for (int i = 0; i < 6; ++i) w.u16(0);
  w.name(name("www.example.com").wire());
  CHECK(w.size() == 12 + 17);
  w.name(name("www.example.com").wire());
  CHECK(w.size() == 12 + 17 + 2);
  w.name(name("MAIL.Example.com").wire());  // 5 bytes and a pointer
  CHECK(w.size() == 12 + 17 + 2 + 7);
  w.name(name(".").wire());
  size_t at = 12;
  const Bytes m = Bytes(buffer).first(w.size());
  CHECK(read_name(m, at)->text() == "www.example.com.");
  CHECK(read_name(m, at)->text() == "www.example.com.");
  CHECK(read_name(m, at)->text() == "MAIL.example.com.");
  CHECK(read_name(m, at)->text() == ".");
  CHECK(at == m.size());
}

TEST_CASE("repeated labels do not confuse the writer") {
  std::vector<uint8_t> buffer(512);
  Writer w(buffer);
  for (int i = 0; i < 6; ++i) w.u16(0);
  for (const char* text : {"a.a.a.a", "a.a", "a", "a.a.a.a.a", "b.a.a"})
    w.name(name(text).wire());
  size_t at = 12;
  const Bytes m = Bytes(buffer).first(w.size());
  for (const char* text : {"a.a.a.a.", "a.a.", "a.", "a.a.a.a.a.", "b.a.a."})
    CHECK(read_name(m, at)->text() == text);
}

TEST_CASE("a full writer writes nothing more until it is rewound") {
  std::vector<uint8_t> buffer(16);
  Writer w(buffer);
  w.u32(1);
  const auto mark = w.mark();
  w.name(name("much.too.long.for.this.buffer").wire());
  CHECK(w.full());
  w.u8(1);
  CHECK(w.full());
  w.rewind(mark);
  CHECK_FALSE(w.full());
  CHECK(w.size() == 4);
  w.keep_back(10);
  w.u32(2);
  CHECK(w.full());
}

TEST_CASE("the counts of a header are checked against the bytes") {
  auto m = make_query({.name = "example.com"});
  m[5] = 2;  // two questions are announced
  Reader in(m);
  CHECK(in.header()->questions == 2);
  CHECK(in.question());
  CHECK_FALSE(in.question());
}

TEST_CASE("rdata may not run over the end of its message") {
  auto m = make_reply(make_query({.name = "example.com"}), "NOERROR",
                      {"answer example.com 1 A 192.0.2.1"});
  m.pop_back();
  Reader in(m);
  REQUIRE(in.header());
  REQUIRE(in.question());
  CHECK_FALSE(in.record());
}

TEST_CASE("a name in rdata may not run over the end of the rdata") {
  auto m =
      make_reply(make_query({.name = "example.com", .type = type::kCname}), "NOERROR",
                 {"answer example.com 1 CNAME a.b", "answer a.b 1 A 192.0.2.1"});
  Reader in(m);
  REQUIRE(in.header());
  REQUIRE(in.question());
  auto cname = in.record();
  REQUIRE(cname);
  CHECK(rdata_text(type::kCname, *expand_rdata(m, *cname)) == "a.b.");
  cname->rdata = cname->rdata.first(cname->rdata.size() - 1);
  CHECK_FALSE(expand_rdata(m, *cname));
}

TEST_CASE("the record types of RFC 1035 travel compressed and come back whole") {
  const auto query = make_query({.name = "example.com", .edns = 1232});
  const auto m =
      make_reply(query, "NOERROR",
                 {"answer example.com 1 MX 10 mail.example.com",
                  "answer example.com 1 NS ns.example.com",
                  "answer example.com 1 SOA ns.example.com admin.example.com 1 2 3 4 5",
                  "answer example.com 1 SRV 1 2 3 mail.example.com",
                  "answer example.com 1 TXT \"one\" \"two words\""});
  CHECK(text(m) ==
        "NOERROR rd ra\n"
        "answer example.com. 1 MX 10 mail.example.com.\n"
        "answer example.com. 1 NS ns.example.com.\n"
        "answer example.com. 1 SOA ns.example.com. admin.example.com. 1 2 3 4 5\n"
        "answer example.com. 1 SRV 1 2 3 mail.example.com.\n"
        "answer example.com. 1 TXT \"one\" \"two words\"\n"
        "opt 1232\n");
  // SRV targets are never compressed (RFC 2782), the others are.
  CHECK(std::string(m.begin(), m.end())
            .find("\x04mail\x07"
                  "example") != std::string::npos);
}
