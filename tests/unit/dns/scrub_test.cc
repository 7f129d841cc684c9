// SPDX-License-Identifier: GPL-2.0-or-later
// Types that the conversations have no text for, and addresses at the borders.
#include "dns/scrub.hh"

#include <catch2/catch.hpp>

#include "dns/rebinding.hh"
#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

struct Raw {
  char section = 's';  // answer; 'h': authority
  const char* name = "";
  uint16_t type = 0;
  std::vector<uint8_t> rdata{};
  uint32_t ttl = 60;
};

std::vector<uint8_t> reply_of(const std::vector<Raw>& records, uint16_t flags = 0) {
  std::vector<uint8_t> bytes(kMaxMessage);
  Writer w(bytes);
  uint16_t counts[2] = {0, 0};
  w.u16(7);
  w.u16(static_cast<uint16_t>(flag::kQr | flags));
  for (const uint16_t n : std::initializer_list<uint16_t>{1, 0, 0, 0}) w.u16(n);
  w.name(Name::parse("a.example")->wire());
  w.u16(type::kA);
  w.u16(klass::kIn);
  for (const char section : {'s', 'h'})
    for (const auto& r : records) {
      if (r.section != section) continue;
      ++counts[section == 'h'];
      w.name(Name::parse(r.name)->wire());
      w.u16(r.type);
      w.u16(klass::kIn);
      w.u32(r.ttl);
      w.u16(static_cast<uint16_t>(r.rdata.size()));
      w.bytes(r.rdata);
    }
  w.patch_u16(6, counts[0]);
  w.patch_u16(8, counts[1]);
  bytes.resize(w.size());
  return bytes;
}

const Question kAsked{*Name::parse("A.example"), type::kA};
const std::vector<uint8_t> kAddress{203, 0, 113, 1};
constexpr uint16_t kRrsig = 46, kNsec = 47, kNsec3 = 50;

// "SECTION TYPE NAME", one a line; or why not.
std::string kept(const std::vector<Raw>& records, bool dnssec_ok) {
  std::vector<uint8_t> out(kMaxMessage);
  const auto s = scrub(kAsked, dnssec_ok, reply_of(records), out);
  if (!s) return s.error().what;
  Reader in(Bytes(out).first(s->size));
  const auto h = *in.header();
  REQUIRE(in.question());
  std::string lines;
  for (int i = 0; i < h.answers + h.authorities; ++i) {
    const auto r = *in.record();
    lines += (i < h.answers ? "answer " : "authority ") + std::to_string(r.type) + " " +
             name_text(r.name.lowered().wire()) + " " + std::to_string(r.ttl) + "\n";
  }
  return lines;
}

std::vector<uint8_t> signs(uint16_t t) {
  std::vector<uint8_t> rdata(40);
  rdata[0] = static_cast<uint8_t>(t >> 8);
  rdata[1] = static_cast<uint8_t>(t);
  return rdata;
}

}  // namespace

TEST_CASE("with DO the signatures of the chain stay, and the proofs; without it none") {
  const std::vector<Raw> records{
      {'s', "a.example", type::kA, kAddress},
      {'s', "a.example", kRrsig, signs(type::kA)},
      {'s', "a.example", kRrsig, signs(type::kTxt)},
      {'s', "b.example", kRrsig, signs(type::kA)},
      {'h', "example", type::kNs, {0}},
      {'h', "example", kRrsig, signs(type::kNs)},
      {'h', "0.example", kNsec, {0}},
      {'h', "0.example", kRrsig, signs(kNsec)},
      {'h', "hash.example", kNsec3, {0}},
  };
  CHECK(kept(records, false) == "answer 1 a.example. 60\n");
  CHECK(kept(records, true) ==
        "answer 1 a.example. 60\n"
        "answer 46 a.example. 60\n"
        "authority 47 0.example. 60\n"
        "authority 46 0.example. 60\n"
        "authority 50 hash.example. 60\n");
}

TEST_CASE("a redirection that explains an alias stays with DO") {
  const std::vector<Raw> records{
      {'s', "example", type::kDname, {3, 'n', 'e', 't', 0}},
      {'s', "example", kRrsig, signs(type::kDname)},
      {'s', "other", type::kDname, {3, 'n', 'e', 't', 0}},
      {'s', "a.example", type::kCname, {1, 'a', 3, 'n', 'e', 't', 0}},
      {'s', "a.net", type::kA, kAddress}};
  CHECK(kept(records, false) == "answer 5 a.example. 60\nanswer 1 a.net. 60\n");
  CHECK(kept(records, true) ==
        "answer 39 example. 60\nanswer 46 example. 60\n"
        "answer 5 a.example. 60\nanswer 1 a.net. 60\n");
}

TEST_CASE("a TTL beyond 31 bits is none") {
  CHECK(kept({{'s', "a.example", type::kA, kAddress, 0x80000000}}, false) ==
        "answer 1 a.example. 0\n");
  CHECK(kept({{'s', "a.example", type::kA, kAddress, 0x7fffffff}}, false) ==
        "answer 1 a.example. 2147483647\n");
}

TEST_CASE("an address of the wrong length makes the reply unreadable") {
  CHECK(kept({{'s', "a.example", type::kA, {1, 2, 3}}}, false) == "not an address");
  CHECK(kept({{'s', "a.example", type::kA, {}}}, false) == "not an address");
}

TEST_CASE("a chain has sixteen aliases at most") {
  const auto chain = [](int aliases) {
    std::vector<Raw> records;
    static std::vector<std::string> names{"a.example"};
    for (int i = 1; i <= 20; ++i) names.push_back("n" + std::to_string(i) + ".example");
    for (int i = 0; i < aliases; ++i) {
      const Name next = *Name::parse(names[static_cast<size_t>(i + 1)]);
      records.push_back({'s',
                         names[static_cast<size_t>(i)].c_str(),
                         type::kCname,
                         {next.wire().begin(), next.wire().end()}});
    }
    records.push_back(
        {'s', names[static_cast<size_t>(aliases)].c_str(), type::kA, kAddress});
    const auto text = kept(records, false);
    return std::ranges::count(text, '\n');
  };
  CHECK(chain(16) == 17);
  CHECK(chain(17) == 0);
}

TEST_CASE("the guard knows this host, its links and the overlay in every spelling") {
  const RebindingGuard guard{
      {*Address::parse("198.51.100.5"), *Address::parse("2001:db8::5")},
      {*Prefix::parse("100.64.0.0/10"), *Prefix::parse("fd00::/48")}};
  const auto guarded = [&](const char* a) {
    return is_guarded(guard, *Address::parse(a));
  };
  for (const char* a :
       {"127.0.0.1", "127.255.255.255", "::1", "0.0.0.0", "0.1.2.3", "::", "169.254.1.1",
        "fe80::1", "febf::1", "100.64.0.0", "100.127.255.255", "fd00::1", "198.51.100.5",
        "2001:db8::5", "::ffff:127.0.0.1", "::ffff:100.64.0.1", "::ffff:198.51.100.5"}) {
    INFO(a);
    CHECK(guarded(a));
  }
  for (const char* a : {"10.0.0.1", "192.168.1.1", "172.16.0.1", "fd01::1", "1.0.0.1",
                        "128.0.0.1", "100.63.255.255", "100.128.0.0", "169.253.0.1",
                        "fec0::1", "::2", "::ffff:10.0.0.1", "2001:db8::6"}) {
    INFO(a);
    CHECK_FALSE(guarded(a));
  }
}
