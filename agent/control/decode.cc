// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/decode.hh"

#include "agent/control/protocol.hh"

namespace wigeon::decode {

Take flag(bool& to) {
  return [&to](const Json& j) -> Result<void> {
    if (!j.is_boolean()) return fail(EINVAL, "must be true or false");
    to = j.get<bool>();
    return {};
  };
}

Take string(std::string& to) {
  return [&to](const Json& j) -> Result<void> {
    if (!j.is_string()) return fail(EINVAL, "must be a string");
    to = j.get<std::string>();
    return {};
  };
}

Take number(uint64_t& to) {
  return [&to](const Json& j) -> Result<void> {
    if (!j.is_number_unsigned()) return fail(EINVAL, "must be a number from 0");
    to = j.get<uint64_t>();
    return {};
  };
}

Take strings(std::vector<std::string>& to) {
  return list<std::string>(to,
                           [](const Json& j, std::string& s) { return string(s)(j); });
}

Result<void> check_list(const Json& j) {
  if (!j.is_array()) return fail(EINVAL, "must be a list");
  if (j.size() > kMaxListed)
    return fail(E2BIG, "has more than " + std::to_string(kMaxListed) + " elements");
  return {};
}

Result<void> object(const Json& j, Unknown unknown, const Keys& keys) {
  if (!j.is_object()) return fail(EINVAL, "must be an object");
  for (auto it = j.begin(); it != j.end(); ++it) {
    const auto at = "/" + it.key().substr(0, 64);
    const auto take = keys.find(it.key());
    if (take == keys.end()) {
      if (unknown == Unknown::refuse) return fail(EINVAL, at + ": unknown parameter");
    } else if (auto taken = take->second(it.value()); !taken) {
      return within(at, std::move(taken).error());
    }
  }
  return {};
}

Result<void> object(std::string_view json, Unknown unknown, const Keys& keys) {
  const Json j = TRY(parse_json(json));
  return object(j, unknown, keys);
}

}  // namespace wigeon::decode
