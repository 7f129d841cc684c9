// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/map_cache.hh"

#include "agent/base/file.hh"
#include "agent/daemon/state_files.hh"
#include "agent/model/limits.hh"

namespace wigeon {

Result<void> save_last_good(const std::string& state_directory, std::string_view bytes) {
  return replace_file(last_good_file(state_directory), bytes, 0600);
}

Result<std::string> read_last_good(const std::string& state_directory) {
  return read_file(last_good_file(state_directory), kMaxMapBytes, FileRule::secret);
}

}  // namespace wigeon
