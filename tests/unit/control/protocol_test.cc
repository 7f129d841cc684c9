// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/protocol.hh"

#include <catch2/catch.hpp>

using namespace wigeon;

namespace {

std::string_view without_newline(std::string_view s) {
  REQUIRE(s.ends_with('\n'));
  return s.substr(0, s.size() - 1);
}

}  // namespace

TEST_CASE("a request survives encoding and decoding") {
  const Request request{.id = 9, .method = "up", .params = R"({"wait":true})"};
  const auto line = encode(request);
  CHECK(line == "{\"id\":9,\"method\":\"up\",\"params\":{\"wait\":true}}\n");
  CHECK(*decode_request(without_newline(line)) == request);
  CHECK(*decode_request(R"({"method":"status","id":1})") ==
        Request{.id = 1, .method = "status"});
}

TEST_CASE("responses carry a result or an error with its exit code") {
  CHECK(encode(Response{.id = 1, .result = R"({"already":true})"}) ==
        "{\"id\":1,\"result\":{\"already\":true}}\n");
  const auto line =
      encode(Response{.id = 2, .result = std::unexpected(Failure{Code::busy, "a\nb"})});
  CHECK(line ==
        "{\"id\":2,\"error\":{\"code\":\"busy\",\"exit\":1,\"message\":\"a\\nb\"}}\n");
  const auto back = decode_response(without_newline(line));
  REQUIRE(back);
  CHECK(back->id == 2);
  REQUIRE_FALSE(back->result);
  CHECK(back->result.error().code == Code::busy);
  CHECK(back->result.error().message == "a\nb");
  CHECK(*decode_response(R"({"id":1,"result":{"a":[1]}})")->result == R"({"a":[1]})");
}

TEST_CASE("codes end in the exit codes of the CLI") {
  const std::vector<std::pair<Code, int>> table{
      {Code::error, 1},          {Code::usage, 2},      {Code::not_running, 3},
      {Code::not_permitted, 4},  {Code::timeout, 5},    {Code::degraded, 6},
      {Code::invalid_config, 7}, {Code::not_found, 10}, {Code::busy, 1}};
  for (const auto& [code, exit] : table) {
    CHECK(exit_code(code) == exit);
    const auto line =
        encode(Response{.id = 1, .result = std::unexpected(Failure{code, ""})});
    CHECK(decode_response(without_newline(line))->result.error().code == code);
  }
  CHECK(decode_response(R"({"id":1,"error":{"code":"of tomorrow"}})")
            ->result.error()
            .code == Code::error);
}

TEST_CASE("what is not a request is refused with a reason") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"", "not JSON"},
      {"GET / HTTP/1.1", "not JSON"},
      {"[]", "must be a JSON object"},
      {"{}", "/id"},
      {R"({"id":-1,"method":"a"})", "/id"},
      {R"({"id":"1","method":"a"})", "/id"},
      {R"({"id":1})", "/method"},
      {R"({"id":1,"method":2})", "/method"},
      {R"({"id":1,"method":"a","params":[]})", "/params"},
      {R"({"id":1,"method":"a","parms":{}})", "/parms"},
      {std::string(100'000, '['), "nested deeper"},
      {"{\"id\":1,\"method\":\"a\xff\"}", "not JSON"},
  };
  for (const auto& [line, why] : table) {
    const auto request = decode_request(line);
    REQUIRE_FALSE(request);
    CHECK(request.error().what.find(why) != std::string::npos);
    CHECK(request.error().what.size() < 300);
  }
}

TEST_CASE("what is not a response is refused") {
  for (const std::string line :
       {"", "{\"id\":5", "{\"id\":5,", "{\"id\":5}", "{\"id\":5,\"result\":{}",
        "{\"id\":5,\"result\":[]}", "{\"id\":-5,\"result\":{}}", "{\"result\":{}}",
        "{\"id\":5,\"error\":1}", "[]"})
    CHECK_FALSE(decode_response(line));
  // With blanks, as another program might write it.
  CHECK(*decode_response("{ \"result\": {\"a\": 1}, \"id\": 5 }")->result ==
        R"({"a":1})");
}

TEST_CASE("brackets inside strings are not depth") {
  CHECK(decode_request(
      R"({"id":1,"method":"a","params":{"x":"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}})"));
}

TEST_CASE("a map travels byte for byte") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const UpParams params{.wait = true, .force = true, .map = bytes};
  CHECK(*decode_up(encode(params)) == params);
  CHECK(*decode_up("{}") == UpParams{});
  CHECK(encode(UpParams{}) == R"({"wait":false,"force":false})");
}

TEST_CASE("the largest map fits in a request") {
  const UpParams params{
      .wait = true, .force = true, .map = std::string(kMaxMapInRequest, 'x')};
  const auto line =
      encode(Request{.id = UINT64_MAX, .method = "up", .params = encode(params)});
  CHECK(line.size() <= kMaxRequest);
}

TEST_CASE("parameters of a wrong type or name are refused by name") {
  CHECK(decode_up(R"({"wait":1})").error().what == "/wait: must be true or false");
  CHECK(decode_up(R"({"map":"*"})").error().what.starts_with("/map: "));
  CHECK(decode_up(R"({"path":"/etc/shadow"})").error().what ==
        "/path: unknown parameter");
  CHECK(decode_log_level(R"({"level":7})").error().what == "/level: must be a string");
  CHECK(decode_up("[]").error().what == "must be an object");
}

TEST_CASE("results of a newer daemon may say more") {
  CHECK(*decode_change(R"({"already":true,"new":1})") == ChangeResult{true});
  CHECK(*decode_version(encode(VersionResult{"0.1"})) == VersionResult{"0.1"});
}
