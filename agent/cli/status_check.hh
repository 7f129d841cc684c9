// SPDX-License-Identifier: GPL-2.0-or-later
// `wigeon status --check`: one yes-or-no question about a daemon that answered.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/control/protocol.hh"
#include "agent/control/status.hh"

namespace wigeon::cli {

enum class Check {
  live,     // the daemon answers
  ready,    // a map is in force and nothing is degraded with severity error
  startup,  // a map was wholly in force once
};

Outcome<Check> parse_check(const std::string& name);
std::string_view text(Check check);

// Why the check fails, on one line; nothing when it passes.
std::optional<std::string> failing(Check check, const StatusReport& report);

}  // namespace wigeon::cli
