// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/truncate.hh"

#include <catch2/catch.hpp>

#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

std::vector<uint8_t> cut(std::vector<uint8_t> message) {
  message.resize(truncate(message));
  return message;
}

const std::vector<std::string> kMany(20, "answer a.test 60 TXT " + std::string(50, 'x'));

}  // namespace

TEST_CASE("a truncated reply keeps id, question and rcode and has no records") {
  const auto query = make_query({.name = "a.test", .type = type::kTxt, .id = 0xabcd});
  const auto reply = cut(make_reply(query, "NOERROR", kMany));
  CHECK(text(reply) == "NOERROR tc rd ra\n");
  CHECK(reply.size() == query.size());
  Reader in(reply);
  CHECK(in.header()->id == 0xabcd);
  CHECK(in.question()->name == *Name::parse("a.test"));
  CHECK(in.at_end());
}

TEST_CASE("a truncated reply keeps its OPT record without the options") {
  const auto query = make_query({.name = "a.test", .type = type::kTxt, .edns = 1232});
  const ExtendedError why{ExtendedError::Code::other, "because"};
  const auto whole = make_reply(query, "NXDOMAIN", kMany, flag::kRa | flag::kAa, why);
  REQUIRE(text(whole).find("ede") != std::string::npos);
  const auto reply = cut(whole);
  CHECK(text(reply) == "NXDOMAIN aa tc rd ra\nopt 1232\n");
  CHECK(cut(reply) == reply);
}

TEST_CASE("what is no reply is not made one") {
  CHECK(cut(make_query({.name = "a.test"})).empty());
  CHECK(cut({}).empty());
  CHECK(cut(std::vector<uint8_t>(11, 0xff)).empty());
  auto cut_off = make_reply(make_query({.name = "a.test"}), "NOERROR", {});
  cut_off.resize(14);
  CHECK(cut(cut_off).empty());
}
