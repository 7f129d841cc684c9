// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/log.hh"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace wigeon::log {
namespace {

Level current = Level::info;
Format format = Format::text;
std::string program = "wigeon";

// stderr is the journal's own stream (systemd.exec(5), JOURNAL_STREAM).
bool journal_connected() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat st {};
  if (!stream || ::fstat(STDERR_FILENO, &st) != 0) return false;
  return fmt::format("{}:{}", st.st_dev, st.st_ino) == stream;
}

std::string timestamp() {
  timespec ts{};
  ::clock_gettime(CLOCK_REALTIME, &ts);
  tm utc{};
  ::gmtime_r(&ts.tv_sec, &utc);
  std::array<char, 32> z{};
  std::strftime(z.data(), z.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", z.data(), ts.tv_nsec / 1000000);
}

// What JSON and a terminal must not see raw.
std::string escaped(std::string_view s, bool json) {
  std::string out;
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (json && (c == '"' || c == '\\'))
      out += {'\\', c};
    else if (u < 0x20 || u == 0x7f)
      out += fmt::format("\\u{:04x}", u);
    else
      out += c;
  }
  return out;
}

// One write, so that lines of several processes do not mix.
void put(const std::string& lines) {
  (void)!::write(STDERR_FILENO, lines.data(), lines.size());  // nowhere to report it
}

}  // namespace

Result<Level> parse_level(std::string_view text) {
  std::string s(text);
  std::ranges::transform(
      s, s.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (s == "panic" || s == "fatal" || s == "error") return Level::error;
  if (s == "warning" || s == "warn") return Level::warning;
  if (s == "info") return Level::info;
  if (s == "debug" || s == "trace") return Level::debug;
  return fail(EINVAL, "must be one of error, warning, info, debug, trace");
}

std::string_view name(Level l) {
  switch (l) {
    case Level::error:
      return "error";
    case Level::warning:
      return "warning";
    case Level::info:
      return "info";
    case Level::debug:
      return "debug";
  }
  return "info";
}

void set_level(Level l) { current = l; }
Level level() { return current; }
void set_format(Format f) { format = f; }
void set_program(std::string_view n) { program = n; }

void write(Level l, std::string_view message) {
  if (l > current) return;
  static const bool journal = journal_connected();
  if (journal) {
    std::string m = fmt::format("MESSAGE={}", message);
    std::string p = fmt::format("PRIORITY={}", static_cast<int>(l));
    std::string i = fmt::format("SYSLOG_IDENTIFIER={}", program);
    const std::array<iovec, 3> iov{
        {{m.data(), m.size()}, {p.data(), p.size()}, {i.data(), i.size()}}};
    if (sd_journal_sendv(iov.data(), static_cast<int>(iov.size())) == 0) return;
  }
  if (format == Format::json) {
    put(fmt::format(R"({{"time":"{}","level":"{}","program":"{}","message":"{}"}})"
                    "\n",
                    timestamp(), name(l), program, escaped(message, true)));
    return;
  }
  // Several lines of message are several lines of log, each complete by itself.
  const std::string head = fmt::format("{} {} {}: ", timestamp(), program, name(l));
  std::string text;
  while (message.ends_with('\n')) message.remove_suffix(1);
  do {
    const auto end = std::min(message.find('\n'), message.size());
    text += head + escaped(message.substr(0, end), false) + "\n";
    message.remove_prefix(std::min(end + 1, message.size()));
  } while (!message.empty());
  put(text);
}

}  // namespace wigeon::log
