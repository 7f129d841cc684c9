// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's program run for one task, where no daemon answers: with the rights of who
// typed the command, an empty environment and nothing open but its output.
#pragma once

#include <string>
#include <vector>

#include "agent/control/protocol.hh"

namespace wigeon::cli {

// The wigeond that belongs to this wigeon: beside it, or in ../sbin.
std::string wigeond_program();

struct Said {
  std::string out{};
  std::string note{};  // from stderr, without the program's name; one line or none
};
// Failures carry what it said on stderr.
Outcome<Said> run_wigeond(std::vector<std::string> arguments);

}  // namespace wigeon::cli
