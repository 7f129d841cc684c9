// SPDX-License-Identifier: GPL-2.0-or-later
// `wigeon` as a function: arguments and surroundings in, text and exit code out.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/cli/output.hh"
#include "agent/control/status.hh"

namespace wigeon::cli {

struct Environment {
  std::map<std::string, std::string> variables{};
  bool terminal = false;  // stdout is one
  std::function<WallTime()> now = std::chrono::system_clock::now;
};

// args without the program's name.
Output run(std::vector<std::string> args, const Environment& environment);

}  // namespace wigeon::cli
