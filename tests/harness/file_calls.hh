// SPDX-License-Identifier: GPL-2.0-or-later
// What a program does to the files below a directory, system call by system call, and the
// states in which a loss of power may leave them.
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wigeon {

struct StoredFile {
  bool is_link = false;
  mode_t mode = 0644;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string bytes{};  // of a link: where it leads

  friend auto operator<=>(const StoredFile&, const StoredFile&) = default;
};
using StoredFiles = std::map<std::string, StoredFile>;  // by path

// Files and links, not directories.
StoredFiles read_files(const std::string& below);
// Puts exactly these there; directories stay.
void write_files(const std::string& below, const StoredFiles& files);

struct FileCall {
  enum class Kind : uint8_t {
    create,  // an empty file at path
    write,   // bytes at offset
    truncate,
    mode,
    owner,
    sync,
    sync_directory,
    rename,  // path to other
    link,    // path, also as other
    symlink,
    remove,
  };
  Kind kind{};
  size_t file = 0;  // its number, whatever its name
  std::string path{}, other{}, bytes{};
  uint64_t offset = 0;
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Runs work in a child and writes down what it did successfully to files below a
// directory. Nothing when the child failed. File numbers: those of read_files() before,
// in order, then as they were made.
std::optional<std::vector<FileCall>> record_calls(const std::string& below,
                                                  const std::function<void()>& work);

// Calls f with each state that the files may be in when the power goes after `done` of
// the calls: what was synced is there; of what was not, any first part of each file's
// changes, the last write torn anywhere, and any first part of each directory's.
void after_power_loss(const StoredFiles& before, const std::vector<FileCall>& calls,
                      size_t done, const std::function<void(const StoredFiles&)>& f);

}  // namespace wigeon
