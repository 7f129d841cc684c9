// SPDX-License-Identifier: GPL-2.0-or-later
// Options that more than one command has. Included by command files only.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>

#include "agent/cli/command.hh"
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

// --json, of a command without other options.
inline void add_json(CLI::App& command, Run& chosen,
                     Output (*show)(const Session& session, bool as_json)) {
  const auto as_json = std::make_shared<bool>(false);
  command.add_flag("-j,--json", *as_json, "As JSON");
  command.callback([&chosen, as_json, show] {
    chosen = [as_json, show](const Session& session) { return show(session, *as_json); };
  });
}

}  // namespace wigeon::cli
