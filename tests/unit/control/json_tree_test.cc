// SPDX-License-Identifier: GPL-2.0-or-later
// The reader against nlohmann_json: what one takes the other takes, as the same values.
#include "agent/control/json_tree.hh"

#include <catch2/catch.hpp>
#include <random>

#include "agent/control/json.hh"

using namespace wigeon;

namespace {

using Kind = JsonTree::Node::Kind;

Json as_json(JsonTree::Node n) {
  switch (n.kind()) {
    case Kind::object: {
      Json j = Json::object();
      n.each([&](JsonTree::Node m) { j[std::string(m.key())] = as_json(m); });
      return j;
    }
    case Kind::list: {
      Json j = Json::array();
      n.each([&](JsonTree::Node e) { j.push_back(as_json(e)); });
      return j;
    }
    case Kind::text:
      return std::string(n.text());
    case Kind::number: {
      const auto& v = n.number();
      if (!v.whole) return v.real;
      if (v.negative) return static_cast<int64_t>(0 - v.magnitude);
      return v.magnitude;
    }
    case Kind::yes:
      return true;
    case Kind::no:
      return false;
    default:
      return nullptr;
  }
}

void check_same(const std::string& text) {
  INFO(text);
  const auto tree = JsonTree::parse(text);
  const auto other = parse_json(text);
  REQUIRE(tree.has_value() == other.has_value());
  if (tree)
    CHECK(as_json(tree->root()) == *other);
  else
    CHECK(tree.error().what == other.error().what);
}

}  // namespace

TEST_CASE("the tree of a document is nlohmann_json's") {
  for (const char* text : {"{}",
                           "[]",
                           "7",
                           " [ ] ",
                           "",
                           " ",
                           "{",
                           "[1,]",
                           "[,1]",
                           "{\"a\":1,}",
                           "{\"a\" 1}",
                           "{a:1}",
                           "[1 2]",
                           "[1]]",
                           "[1] x",
                           "{\"a\":{\"b\":[{},[],\"c\"]},\"d\":null}",
                           "{\"a\":1,\"a\":2}",
                           "[true,false,null]",
                           "[tru]",
                           "[truex]",
                           "[nul",
                           "[True]",
                           "\xef\xbb\xbf{}",
                           "\xef\xbb{}",
                           "[1]\xef\xbb\xbf",
                           "[//c\n1]",
                           "{\"a\":}",
                           "]",
                           "[\"a\"",
                           "{\"a\":1]",
                           "[1}"})
    check_same(text);
}

TEST_CASE("numbers are read as nlohmann_json reads them") {
  for (const char* n : {"0",
                        "-0",
                        "-1",
                        "00",
                        "01",
                        "-01",
                        "-",
                        "+1",
                        ".5",
                        "1.",
                        "1.5",
                        "-1.25e2",
                        "1e5",
                        "1E+5",
                        "1e-5",
                        "1e",
                        "1e+",
                        "0.0",
                        "0e0",
                        "18446744073709551615",
                        "18446744073709551616",
                        "-9223372036854775808",
                        "-9223372036854775809",
                        "1e400",
                        "-1e400",
                        "1e-400",
                        "4.9e-324",
                        "1.7976931348623157e308",
                        "1x",
                        "0x10",
                        "1 2",
                        "123456789012345678901234567890",
                        "0.99999999999999999999",
                        "-0.18446744073709551616",
                        "0.00000000000000000000000000000125",
                        "1e-0000000000000000007",
                        "-0.0",
                        "NaN",
                        "Infinity",
                        "--1"})
    check_same("[" + std::string(n) + "]");
  for (const char* n : {"1e00000000000000000001", "0e99999999999999999999"}) {
    const auto text = "[" + std::string(n) + "]";
    CHECK(parse_json(text));
    CHECK(JsonTree::parse(text).error().what == "not JSON");
  }
}

TEST_CASE("strings are read as nlohmann_json reads them") {
  for (const std::string s : {R"(a\"\\\/\b\f\n\r\tz)",
                              R"(\u0041\u00e9\u20ac\ud83d\ude00\u0000)",
                              R"(\x)",
                              R"(\u12g4)",
                              R"(\u12)",
                              R"(\ud800)",
                              R"(\ud800\u0041)",
                              R"(\ud800x)",
                              R"(\udc00)",
                              R"(\ud83d\ude0)",
                              R"(\u+123)",
                              "\xc3\xa9",
                              "\xe2\x82\xac",
                              "\xf0\x9f\x98\x80",
                              "\xc0\x80",
                              "\xc1\xbf",
                              "\xe0\x9f\xbf",
                              "\xed\xa0\x80",
                              "\xf0\x8f\xbf\xbf",
                              "\xf4\x90\x80\x80",
                              "\xf5\x80\x80\x80",
                              "\xe2\x82",
                              "\xff",
                              "\x80",
                              "12345678\x01",
                              "1234567\x7f",
                              "12345\n",
                              "12345678\xc3\xa9\"",
                              "\\"})
    check_same("[\"" + s + "\"]");
  check_same(std::string("[\"a\0b\"]", 7));
  check_same(std::string("[1]\0x", 5));
  check_same(std::string("[1,\0", 4));
  // The end of the text comes at each place of the eight bytes looked at together.
  for (size_t n = 0; n < 20; ++n) {
    check_same("[\"" + std::string(n, 'x'));
    check_same("[\"" + std::string(n, 'x') + "\\");
    check_same("[\"" + std::string(n, 'x') + "\xe2\x82");
  }
}

TEST_CASE("nesting has the same limit") {
  const auto nested = [](size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  check_same(nested(kMaxJsonDepth));
  check_same(nested(kMaxJsonDepth + 1));
}

TEST_CASE("damaged documents are refused where nlohmann_json refuses them") {
  const std::string whole =
      R"({"a":[1,-2.5e3,"x\u00e9\n",{"b":null}],"c":true,"d":"é","e":{"f":[]}})";
  constexpr std::string_view bytes = "{}[]:,\"\\u0e-+.1atn \n\x01\xc3\xa9";
  std::mt19937 random(7);
  const auto below = [&](size_t n) { return random() % n; };
  for (int round = 0; round < 5'000; ++round) {
    auto text = whole;
    for (size_t damage = 1 + below(3); damage > 0 && !text.empty(); --damage) {
      const size_t at = below(text.size());
      switch (below(3)) {
        case 0:
          text[at] = bytes[below(bytes.size())];
          break;
        case 1:
          text.erase(at, 1 + below(4));
          break;
        default:
          text.insert(at, 1, bytes[below(bytes.size())]);
      }
    }
    check_same(text);
  }
}
