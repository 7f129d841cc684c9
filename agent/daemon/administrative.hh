// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the administrator wants the tunnel up, kept in STATE/state.json over restarts.
#pragma once

#include <string>

#include "agent/base/result.hh"

namespace wigeon {

// True when nothing readable says otherwise.
bool read_administrative(const std::string& state_directory);
Result<void> keep_administrative(const std::string& state_directory, bool up);

}  // namespace wigeon
