// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/problem.hh"

#include <catch2/catch.hpp>

#include "agent/model/limits.hh"

using namespace wigeon;

TEST_CASE("a problem reads file, pointer, value, reason, and skips what it lacks") {
  CHECK(Problem{"f", "/a", "\"b\"", "why"}.text() == "f: /a: \"b\": why");
  CHECK(Problem{.file = "f", .reason = "why"}.text() == "f: why");
}

TEST_CASE("problems beyond the limit are counted") {
  Problems p;
  for (size_t i = 0; i < kMaxProblems + 2; ++i) p.add({.reason = "x"});
  CHECK(p.list.size() == kMaxProblems);
  CHECK(p.count() == kMaxProblems + 2);
  CHECK(p.text().ends_with("x\nand 2 more\n"));
  Problems q;
  q.add(Problem{.reason = "first"});
  q.add(std::move(p));
  CHECK(q.count() == kMaxProblems + 3);
}

TEST_CASE("text is cut between characters") {
  CHECK(printable("äöü", 3) == "ä…");
  CHECK(printable("äöü", 6) == "äöü");
  CHECK(shown("a\x1b\x7f") == "\"a\\u001b\\u007f\"");
}
