// SPDX-License-Identifier: GPL-2.0-or-later
// Options that more than one command has. Included by command files only.
#pragma once

#include <CLI/CLI.hpp>

#include "agent/cli/duration.hh"

namespace wigeon::cli {

// --timeout, checked while parsing; the text goes to parse_duration() again.
inline CLI::Option* add_timeout(CLI::App& command, std::string& text,
                                const std::string& what) {
  return command.add_option("--timeout", text, what)
      ->type_name("DURATION")
      ->check([](const std::string& value) {
        const auto parsed = parse_duration(value);
        return parsed ? std::string() : parsed.error().what;
      });
}

inline std::chrono::milliseconds timeout_or(const std::string& text,
                                            std::chrono::milliseconds otherwise) {
  return parse_duration(text).value_or(otherwise);
}

}  // namespace wigeon::cli
