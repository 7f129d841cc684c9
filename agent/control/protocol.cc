// SPDX-License-Identifier: GPL-2.0-or-later
// The envelope of requests and responses. protocol_methods.cc has what they carry.
#include "agent/control/protocol.hh"

#include <algorithm>
#include <array>

#include "agent/base/ip.hh"
#include "agent/control/json.hh"

namespace wigeon {
namespace {

struct CodeRow {
  Code code;
  std::string_view name;
  int exit;
};
constexpr std::array<CodeRow, 9> kCodes{{
    {Code::error, "error", 1},
    {Code::usage, "usage", 2},
    {Code::not_running, "not_running", 3},
    {Code::not_permitted, "not_permitted", 4},
    {Code::timeout, "timeout", 5},
    {Code::degraded, "degraded", 6},
    {Code::invalid_config, "invalid_config", 7},
    {Code::not_found, "not_found", 10},
    {Code::busy, "busy", 1},
}};

const CodeRow& row(Code code) { return kCodes[static_cast<size_t>(code)]; }

// A code that only a newer daemon knows is an error like any other.
Code parse_code(std::string_view name) {
  for (const auto& r : kCodes)
    if (r.name == name) return r.code;
  return Code::error;
}

Result<uint64_t> take_id(const Json& j) {
  const auto id = j.find("id");
  if (id == j.end() || !id->is_number_unsigned())
    return fail(EINVAL, "/id: must be a number, 0 or more");
  return id->get<uint64_t>();
}

Result<Json> parse_object(std::string_view line) {
  Json j = TRY(parse_json(line));
  if (!j.is_object()) return fail(EINVAL, "must be a JSON object");
  return j;
}

// {"id":1,"result":{…}} as encode() writes it, without parsing what the decoder of the
// result will parse: a status can have megabytes.
std::optional<Response> plain_result(std::string_view line) {
  constexpr std::string_view kId = "{\"id\":", kResult = ",\"result\":";
  if (!line.starts_with(kId)) return std::nullopt;
  const auto comma = std::min(line.find(','), line.size());
  const auto id = parse_number(line.substr(kId.size(), comma - kId.size()), UINT64_MAX);
  if (!id || !line.substr(comma).starts_with(kResult)) return std::nullopt;
  line.remove_prefix(comma + kResult.size());
  if (!line.starts_with('{') || !line.ends_with("}}")) return std::nullopt;
  return Response{.id = *id, .result = std::string(line.substr(0, line.size() - 1))};
}

}  // namespace

std::string_view text(Code code) { return row(code).name; }
int exit_code(Code code) { return row(code).exit; }

// params and result are JSON already.
std::string encode(const Request& request) {
  return "{\"id\":" + std::to_string(request.id) +
         ",\"method\":" + dump_json(request.method) + ",\"params\":" + request.params +
         "}\n";
}

std::string encode(Response response) {
  std::string head = "{\"id\":" + std::to_string(response.id);
  if (response.result) {
    head += ",\"result\":";
    constexpr std::string_view kTail = "}\n";
    // Around it where it is: the one of a status has megabytes.
    std::string& line = *response.result;
    line.reserve(head.size() + line.size() + kTail.size());
    line.insert(0, head).append(kTail);
    return std::move(line);
  }
  const Failure& failure = response.result.error();
  const Json error{{"code", text(failure.code)},
                   {"exit", exit_code(failure.code)},
                   {"message", failure.message}};
  return head + ",\"error\":" + dump_json(error) + "}\n";
}

Result<Request> decode_request(std::string_view line) {
  const Json j = TRY(parse_object(line));
  Request request;
  request.id = TRY(take_id(j));
  const auto method = j.find("method");
  if (method == j.end() || !method->is_string())
    return fail(EINVAL, "/method: must be a string");
  request.method = method->get<std::string>();
  if (const auto params = j.find("params"); params != j.end()) {
    if (!params->is_object()) return fail(EINVAL, "/params: must be an object");
    request.params = dump_json(*params);
  }
  for (auto it = j.begin(); it != j.end(); ++it)
    if (it.key() != "id" && it.key() != "method" && it.key() != "params")
      return fail(EINVAL, "/" + it.key().substr(0, 64) + ": unknown key");
  return request;
}

Result<Response> decode_response(std::string_view line) {
  if (auto response = plain_result(line)) return *std::move(response);
  const Json j = TRY(parse_object(line));
  Response response;
  response.id = TRY(take_id(j));
  if (const auto result = j.find("result"); result != j.end()) {
    if (!result->is_object()) return fail(EINVAL, "/result: must be an object");
    response.result = dump_json(*result);
    return response;
  }
  const auto error = j.find("error");
  if (error == j.end() || !error->is_object())
    return fail(EINVAL, "/error: must be an object, as there is no result");
  const auto string = [&](const char* key) {
    const auto found = error->find(key);
    return found != error->end() && found->is_string() ? found->get<std::string>() : "";
  };
  response.result =
      std::unexpected(Failure{parse_code(string("code")), string("message")});
  return response;
}

}  // namespace wigeon
