// SPDX-License-Identifier: GPL-2.0-or-later
// Programs that are measured from outside.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "agent/base/result.hh"

namespace wigeon::bench {

using Arguments = std::vector<std::string>;

// Stdin and stdout are /dev/null; a status other than 0 is an error.
Result<void> run(const Arguments& program);
// In the background, stderr into `log`.
Result<pid_t> start(const Arguments& program, const std::string& log);
// SIGKILL, and its end awaited.
void stop(pid_t pid);

// The calling thread, and what it starts from now on.
void pin(int cpu);

// Of /proc/PID: seconds on a CPU, all threads; anonymous memory in bytes, shared parts
// divided among those who share.
Result<double> cpu_seconds(pid_t pid);
Result<uint64_t> anonymous_bytes(pid_t pid);

// A directory in $TMPDIR or /tmp, removed at the end.
class TempDir {
 public:
  static Result<TempDir> make();
  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_{};
};

Result<void> write_text(const std::string& path, const std::string& text);

}  // namespace wigeon::bench
