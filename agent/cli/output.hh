// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/control/protocol.hh"

namespace wigeon::cli {

// What a command leaves behind.
struct Output {
  int exit = 0;
  std::string out{};
  std::string err{};
};

// "Error: …" on stderr and the exit code that belongs to it.
inline Output failed(const Failure& failure) {
  Output output{.exit = exit_code(failure.code), .err = "Error: " + failure.message};
  if (!output.err.ends_with('\n')) output.err += '\n';
  return output;
}

}  // namespace wigeon::cli
