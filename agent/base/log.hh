// SPDX-License-Identifier: GPL-2.0-or-later
// Log lines for the mains and agent/core; libraries return errors instead.
// To the journal when stderr is connected to it (JOURNAL_STREAM), else to stderr as text
// or as one JSON object a line. Never a key, never a packet's payload.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon::log {

enum class Level { error = 3, warning = 4, info = 6, debug = 7 };  // syslog priorities
enum class Format { text, json };

// "error", "warning" or "warn", "info", "debug" or "trace"; NetBird's names, any case.
Result<Level> parse_level(std::string_view name);
std::string_view name(Level level);

void set_level(Level level);
[[nodiscard]] Level level();
void set_format(Format format);
// First word of each text line and SYSLOG_IDENTIFIER: "wigeond".
void set_program(std::string_view name);

void write(Level level, std::string_view message);

template <class... Args>
void error(fmt::format_string<Args...> f, Args&&... args) {
  write(Level::error, fmt::format(f, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> f, Args&&... args) {
  write(Level::warning, fmt::format(f, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> f, Args&&... args) {
  write(Level::info, fmt::format(f, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> f, Args&&... args) {
  if (level() >= Level::debug)
    write(Level::debug, fmt::format(f, std::forward<Args>(args)...));
}

}  // namespace wigeon::log
