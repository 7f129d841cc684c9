// SPDX-License-Identifier: GPL-2.0-or-later
// Files read with a limit, written so that a crash leaves the old or the new content.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon {

enum class FileRule {
  any,     // any regular file
  secret,  // owned by root or us, no permission for group and others (EPERM otherwise)
};

// Whole regular file of at most max bytes (EFBIG). A FIFO, directory or device is EINVAL
// and is never waited for.
Result<std::string> read_file(const std::string& path, size_t max,
                              FileRule rule = FileRule::any);

// Replaces path: temporary file beside it (O_EXCL, O_NOFOLLOW), mode set before the
// rename, file and directory synced. Missing parent directories are an error.
Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode);

// As replace_file, but EEXIST when path exists already (link(2) instead of rename(2));
// parent directory is made 0700 when missing.
Result<void> write_new_file(const std::string& path, std::string_view content,
                            mode_t mode);

// mkdir -p. Directories that exist stay as they are; new ones get mode.
Result<void> make_directories(const std::string& path, mode_t mode);

// Makes renames in this directory durable.
Result<void> sync_directory(const std::string& path);

// Directory part of a path: "." when it has none.
std::string parent_directory(const std::string& path);

// Another program of ours: in `installed`, seen from the directory of the one that runs
// ("../sbin"), or else in that directory itself, as in a build tree.
std::string program_near(const std::string& installed, const std::string& name);

}  // namespace wigeon
