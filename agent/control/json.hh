// SPDX-License-Identifier: GPL-2.0-or-later
// nlohmann-json behind functions that do not throw. Private to this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon {

using Json = nlohmann::ordered_json;

// Deeper documents are refused before they are parsed. A status needs 6.
inline constexpr int kMaxJsonDepth = 32;

Result<Json> parse_json(std::string_view text);
// One line. Bytes that are not UTF-8 become U+FFFD.
std::string dump_json(const Json& j);

}  // namespace wigeon
