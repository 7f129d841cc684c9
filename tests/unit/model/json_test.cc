// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/json.hh"

#include <catch2/catch.hpp>

#include "agent/model/limits.hh"
#include "agent/model/shape.hh"

namespace wigeon {

struct Leaf {
  uint16_t n = 0;
  std::string s{};
};
struct Tree {
  bool b = false;
  uint64_t big = 0;
  std::vector<std::string> words{};
  std::vector<Leaf> leaves{};
  Leaf leaf{};
  std::string hidden{};
};

static const json::Shape& shape_of(std::type_identity<Leaf>) {
  static const json::Shape s{
      .fields = {json::field<&Leaf::n>("n"), json::field<&Leaf::s>("s")}};
  return s;
}
static const json::Shape& tree_shape() {
  static const json::Shape s{.fields = {json::field<&Tree::b>("b"),
                                        json::field<&Tree::big>("big"),
                                        json::field<&Tree::words>("words", 3),
                                        json::field<&Tree::leaves>("leaves", 100'000),
                                        json::field<&Tree::leaf>("leaf"),
                                        json::secret_field<&Tree::hidden>("hidden")}};
  return s;
}

static json::Shape lenient() {
  auto s = tree_shape();
  s.names = json::Shape::Names::folded;
  s.unknown = json::Shape::Unknown::ignored;
  s.nulls = json::Shape::Nulls::absent;
  return s;
}

static std::string decode(std::string_view text, Tree& t,
                          const json::Shape& shape = tree_shape()) {
  return json::decode(text, "f", shape, &t).text();
}
static std::string decode(std::string_view text,
                          const json::Shape& shape = tree_shape()) {
  Tree t;
  return decode(text, t, shape);
}

static std::string repeated(size_t n, std::string_view s) {
  std::string out;
  out.reserve(n * s.size());
  for (size_t i = 0; i < n; ++i) out += s;
  return out;
}

TEST_CASE("a document decodes into the members of its struct") {
  Tree t;
  REQUIRE(decode(R"({"b":true,"big":18446744073709551615,"words":["x","\u00e9"],
                     "leaves":[{"n":1},{"n":2,"s":"two"}],"leaf":{"s":"l"}})",
                 t) == "");
  CHECK(t.b);
  CHECK(t.big == UINT64_MAX);
  CHECK(t.words == std::vector<std::string>{"x", "é"});
  REQUIRE(t.leaves.size() == 2);
  CHECK(t.leaves[1].n == 2);
  CHECK(t.leaves[1].s == "two");
  CHECK(t.leaf.s == "l");
}

TEST_CASE("a problem names file, pointer, value and reason, and all are listed") {
  CHECK(decode(R"({"b":1,"leaves":[{},{"n":65536},{"n":-1,"s":[]}],"a/b~c":0,
                   "leaf":7,"words":{}})") ==
        "f: /b: 1: expected true or false, not a number\n"
        "f: /leaves/1/n: 65536: must be 0-65535\n"
        "f: /leaves/2/n: -1: must be 0-65535\n"
        "f: /leaves/2/s: a list is not expected here\n"
        "f: /a~1b~0c: unknown key\n"
        "f: /leaf: 7: expected an object, not a number\n"
        "f: /words: an object is not expected here\n");
}

TEST_CASE("values are shortened, made fit for a terminal, and secret ones left out") {
  CHECK(decode(R"({"big":")" + std::string(100, 'x') + R"("})") ==
        "f: /big: \"" + std::string(64, 'x') + "…\": not a decimal number\n");
  CHECK(decode(R"({"big":"\u001b[2J\u009b"})") ==
        "f: /big: \"\\u001b[2J\\u009b\": not a decimal number\n");
  CHECK(decode(R"({"hidden":"x\u0001"})") == "f: /hidden: has a control character\n");
  CHECK(decode(R"({"hidden":"secret)").find("secret") == std::string::npos);
  CHECK(decode("{\"hidden\":\"secret\n\"}").find("secret") == std::string::npos);
}

TEST_CASE("a syntax error gives line and column") {
  CHECK(decode("{\n  \"b\": tru\n}") ==
        "f: line 2, column 11: syntax error while parsing value - invalid literal\n");
  CHECK(decode("{\"b\":true} x") ==
        "f: line 1, column 12: syntax error while parsing value - invalid literal\n");
  CHECK(decode("{\"b\":true,}").starts_with("f: line 1, column 11: syntax error"));
  CHECK(decode("{\"b\":true}{}").starts_with("f: line 1, column 11: syntax error"));
  CHECK(decode("{\"b\":true").starts_with("f: line 1, column 10: syntax error"));
  CHECK(decode("{\"hidden\":\"\xff\"}") ==
        "f: line 1, column 12: syntax error while parsing value - invalid string: "
        "ill-formed UTF-8 byte\n");
  CHECK(decode(R"({"hidden":"\ud800"})").starts_with("f: line 1, column 18: "));
  CHECK(decode("{//c\n}").starts_with("f: line 1, column 2: "));
}

TEST_CASE("what is not one object is refused") {
  CHECK(decode("") == "f: the document is empty\n");
  CHECK(decode(" \n") == "f: the document is empty\n");
  CHECK(decode("[]") == "f: the document must be an object, not a list\n");
  CHECK(decode("null") == "f: the document must be an object\n");
  CHECK(decode("7") == "f: the document must be an object\n");
  CHECK(decode(std::string_view("{}\0garbage", 10)) ==
        "f: line 1, column 3: a NUL byte\n");
  CHECK(decode(std::string_view("\0", 1)) == "f: line 1, column 1: a NUL byte\n");
}

TEST_CASE("a key twice in one object is refused, known or not, at any depth") {
  CHECK(decode(R"({"b":true,"\u0062":false})") ==
        "f: /b: the key occurs more than once\n");
  CHECK(decode(R"({"leaf":{"n":1,"n":1,"n":1}})") ==
        "f: /leaf/n: the key occurs more than once\n");
  CHECK(decode(R"({"x":{"y":[0,{"z":1,"z":2}]}})", lenient()) ==
        "f: /x/y/1/z: the key occurs more than once\n");
  CHECK(decode(R"({"x":{"b":1},"b":true})", lenient()) == "");
}

TEST_CASE("both styles of a name are the same key") {
  Tree t;
  CHECK(decode(R"({"Big":"7","B":true})", t, lenient()) == "");
  CHECK(t.big == 7);
  CHECK(t.b);
  CHECK(decode(R"({"big":1,"BIG":1})", lenient()) ==
        "f: /big: the key occurs more than once\n");
  CHECK(decode(R"({"Big":7})") == "f: /Big: unknown key\n");
}

TEST_CASE("null is absent or refused, as the shape says") {
  CHECK(decode(R"({"b":null,"words":null,"leaf":null,"x":null})", lenient()) == "");
  CHECK(decode(R"({"b":null})") == "f: /b: null: expected true or false, not null\n");
  CHECK(decode(R"({"words":[null]})", lenient()) ==
        "f: /words/0: null: expected a string, not null\n");
}

TEST_CASE("lists, strings and objects have limits") {
  CHECK(decode(R"({"words":["","","",""]})") == "f: /words: more than 3 entries\n");
  const auto longest = std::string(kMaxStringBytes, 'x');
  CHECK(decode(R"({"hidden":")" + longest + R"("})") == "");
  CHECK(decode(R"({"hidden":")" + longest + R"(x"})") ==
        "f: /hidden: a string longer than 4096 bytes\n");
  CHECK(decode(R"({"x":")" + longest + R"(x"})", lenient()) ==
        "f: /x: a string longer than 4096 bytes\n");
  CHECK(decode(R"({")" + longest + R"(x":1})", lenient()) ==
        "f: a key longer than 4096 bytes\n");
  CHECK(decode(R"({"hidden":")" + repeated(kMaxStringBytes, "\\u0041") + R"("})") == "");
  // Far too long ones are found before anything buffers them.
  CHECK(decode(R"({"hidden":")" + std::string(1u << 20, 'x') + R"("})") ==
        "f: line 1, column 11: a string longer than 4096 bytes\n");
  CHECK(decode(R"({"big":)" + std::string(65, '1') + "}") ==
        "f: line 1, column 8: a number or word longer than 64 bytes\n");
  CHECK(decode(R"({"big":)" + std::string(40, '1') + "}")
            .ends_with("must be 0-18446744073709551615\n"));
  std::string members = "{";
  for (size_t i = 0; i <= kMaxMembers; ++i)
    members += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  CHECK(decode(members + "}", lenient()) == "f: more than 65536 keys\n");
}

TEST_CASE("nesting is refused beyond its limit, however deep") {
  const auto nested = [](size_t n) {
    return R"({"x":)" + std::string(n, '[') + std::string(n, ']') + "}";
  };
  CHECK(decode(nested(kMaxDepth - 1), lenient()) == "");
  CHECK(decode(nested(kMaxDepth), lenient()) ==
        "f: line 1, column 37: nested more than 32 levels deep\n");
  CHECK(decode(nested(100'000), lenient()) ==
        "f: line 1, column 37: nested more than 32 levels deep\n");
  CHECK(decode(std::string(100'000, '[')) ==
        "f: the document must be an object, not a list\n");
  CHECK(decode(repeated(100'000, R"({"x":)"), lenient()) ==
        "f: line 1, column 161: nested more than 32 levels deep\n");
}

TEST_CASE("problems are bounded, and counted beyond that") {
  const auto text = decode(R"({"leaves":[)" + repeated(500, R"({"n":-1},)") + "{}]}");
  CHECK(std::ranges::count(text, '\n') == 101);
  CHECK(text.ends_with("and 400 more\n"));
  Tree t;
  const auto end =
      decode(R"({"leaves":[)" + repeated(50'000, R"({"n":-1},)") + "{}]}", t);
  CHECK(end.ends_with("and 9900 more\n"));
  CHECK(t.leaves.size() <= 1);  // elements with problems are not kept
}

TEST_CASE("a document may not decode to much more than its own size") {
  // {} takes three bytes as text and sizeof(Leaf) decoded.
  Tree t;
  const size_t n = 90'000;
  const auto text = decode(R"({"leaves":[)" + repeated(n, "{},") + "{}]}", t);
  CHECK(text == "f: /leaves/" + std::to_string(t.leaves.size()) +
                    ": the document decodes to much more than its own size\n");
  CHECK(t.leaves.size() * 2 * sizeof(Leaf) <=
        kDecodedFloor + kDecodedPerByte * 3 * (n + 5));
}

TEST_CASE("a quoted string decodes to itself") {
  const std::string text = "a\"b\\c\n\t\x01 é";
  auto shape = lenient();
  shape.fields = {json::field<&Tree::words>("words", 1)};
  struct Any {
    std::string s{};
  } any;
  json::Field f{.name = "s"};
  f.set = [](void* owner, const void*, const json::Scalar& s) -> Result<void> {
    static_cast<Any*>(owner)->s = s.text;
    return {};
  };
  const json::Shape one{.fields = {f}};
  CHECK(json::decode("{\"s\":" + json::quote(text) + "}", "f", one, &any).empty());
  CHECK(any.s == text);
}

}  // namespace wigeon
