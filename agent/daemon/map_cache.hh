// SPDX-License-Identifier: GPL-2.0-or-later
// The last good map, kept in the state directory: a start whose source is missing or
// broken goes on from it.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon {

// Of a map that was accepted. It may hold preshared keys, so nobody else can read it.
Result<void> save_last_good(const std::string& state_directory, std::string_view bytes);

// ENOENT when there is none, EPERM when others could have read it.
Result<std::string> read_last_good(const std::string& state_directory);

}  // namespace wigeon
