// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "agent/cli/cli.hh"

namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  wigeon::cli::Environment environment{.terminal = ::isatty(STDOUT_FILENO) == 1};
  for (const char* name : {"WIGEON_DAEMON_ADDR", "NB_DAEMON_ADDR", "NO_COLOR", "TERM"})
    if (const char* value = std::getenv(name)) environment.variables[name] = value;
  const auto output =
      wigeon::cli::run({argv + (argc > 0 ? 1 : 0), argv + argc}, environment);
  const bool wrote = write_all(STDOUT_FILENO, output.out);
  (void)write_all(STDERR_FILENO, output.err);  // nowhere to report it
  // Text that nobody got is a failure: `wigeon status >/dev/full`.
  return output.exit == 0 && !wrote ? 1 : output.exit;
}
