// SPDX-License-Identifier: GPL-2.0-or-later
#include <span>

#include "agent/base/key.hh"
#include "agent/control/decode.hh"
#include "agent/control/protocol.hh"

namespace wigeon {
namespace {

using decode::flag;
using decode::string;
using decode::Take;
using decode::Unknown;

Take bytes(std::optional<std::string>& to) {
  return [&to](const Json& j) -> Result<void> {
    if (!j.is_string()) return fail(EINVAL, "must be base64");
    to = TRY(base64_decode(j.get_ref<const std::string&>(), kMaxMapInRequest));
    return {};
  };
}

}  // namespace

std::string encode(const UpParams& params) {
  Json j{{"wait", params.wait}, {"force", params.force}};
  if (params.map)
    j["map"] = base64_encode(
        {reinterpret_cast<const uint8_t*>(params.map->data()), params.map->size()});
  return dump_json(j);
}

Result<UpParams> decode_up(std::string_view params) {
  UpParams up;
  TRY(decode::object(
      params, Unknown::refuse,
      {{"wait", flag(up.wait)}, {"force", flag(up.force)}, {"map", bytes(up.map)}}));
  return up;
}

std::string encode(const LogLevelParams& params) {
  return dump_json(Json{{"level", params.level}});
}

Result<LogLevelParams> decode_log_level(std::string_view params) {
  LogLevelParams level;
  TRY(decode::object(params, Unknown::refuse, {{"level", string(level.level)}}));
  return level;
}

std::string encode(const ChangeResult& result) {
  return dump_json(Json{{"already", result.already}});
}

Result<ChangeResult> decode_change(std::string_view result) {
  ChangeResult change;
  TRY(decode::object(result, Unknown::skip, {{"already", flag(change.already)}}));
  return change;
}

std::string encode(const VersionResult& result) {
  return dump_json(Json{{"version", result.version}});
}

Result<VersionResult> decode_version(std::string_view result) {
  VersionResult version;
  TRY(decode::object(result, Unknown::skip, {{"version", string(version.version)}}));
  return version;
}

}  // namespace wigeon
