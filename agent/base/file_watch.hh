// SPDX-License-Identifier: GPL-2.0-or-later
// A file that others replace, watched through the directories on its way, because an
// atomic rename, a symlink swap, and a directory that is deleted or not there yet all
// leave a watch on the file itself with nothing (inotify(7)).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "agent/base/loop.hh"
#include "agent/base/result.hh"

namespace wigeon {

class FileWatch {
 public:
  using Touched = std::move_only_function<void()>;

  // path is absolute; it need not exist. touched is called from the loop when the file,
  // what it leads to, or a directory on the way may have changed; events within `settle`
  // of the first are one. ENOSPC when nothing can be watched. touched may not destroy the
  // watch. The loop must live longer.
  static Result<FileWatch> open(Loop& loop, const std::string& path,
                                std::chrono::milliseconds settle, Touched touched);
  FileWatch(FileWatch&&) noexcept;
  FileWatch& operator=(FileWatch&&) noexcept;
  ~FileWatch();

 private:
  struct State;
  explicit FileWatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The file behind all symbolic links; empty when there is none.
std::string real_path(const std::string& path);

}  // namespace wigeon
