// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/reply_text.hh"

#include <catch2/catch.hpp>

#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;

TEST_CASE("a reply becomes texts, section by section") {
  const auto query = make_query({.name = "a.test", .edns = 1232});
  const auto reply =
      make_reply(query, "BADVERS",
                 {"answer a.test 60 A 192.0.2.1", "authority test 30 NS ns.test",
                  "additional ns.test 30 AAAA 2001:db8::1"},
                 flag::kRa | flag::kAa, {ExtendedError::Code::network, "a\nb"});
  const auto text = reply_text(reply);
  REQUIRE(text);
  using Section = ReplyRecord::Section;
  CHECK(text->records ==
        std::vector<ReplyRecord>{
            {Section::answer, "a.test.", 60, "A", "192.0.2.1"},
            {Section::authority, "test.", 30, "NS", "ns.test."},
            {Section::additional, "ns.test.", 30, "AAAA", "2001:db8::1"}});
  CHECK(text->rcode == rcode::kBadVers);
  CHECK(text->size == reply.size());
  CHECK(text->errors == std::vector<ReplyError>{{23, "a?b"}});
  CHECK(rcode_text(text->rcode) == "BADVERS");
  CHECK(rcode_text(11) == "RCODE11");
  CHECK(flag_texts(text->flags) == std::vector<std::string>{"aa", "rd", "ra"});
}

TEST_CASE("bytes that are no reply are refused, cut anywhere") {
  const auto query = make_query({.name = "a.test"});
  const auto reply = make_reply(query, "NOERROR", {"answer a.test 60 A 192.0.2.1"});
  for (size_t n = 0; n < reply.size(); ++n)
    CHECK_FALSE(reply_text(Bytes(reply).first(n)));
}

TEST_CASE("records beyond the limit are counted, not shown") {
  const auto query = make_query({.name = "a.test"});
  const auto reply = make_reply(
      query, "NOERROR",
      std::vector<std::string>(kMaxShownRecords + 5, "answer a.test 60 A 192.0.2.1"));
  const auto text = reply_text(reply);
  REQUIRE(text);
  CHECK(text->records.size() == kMaxShownRecords);
  CHECK(text->left_out == 5);
}
