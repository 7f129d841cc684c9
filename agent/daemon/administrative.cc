// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/administrative.hh"

#include <string_view>

#include "agent/base/file.hh"
#include "agent/daemon/state_files.hh"

namespace wigeon {
namespace {

constexpr std::string_view kUp = "{\"up\":true}\n", kDown = "{\"up\":false}\n";
constexpr size_t kMaxBytes = 4096;

}  // namespace

bool read_administrative(const std::string& state_directory) {
  return read_file(administrative_file(state_directory), kMaxBytes).value_or("") != kDown;
}

Result<void> keep_administrative(const std::string& state_directory, bool up) {
  return replace_file(administrative_file(state_directory), up ? kUp : kDown, 0600);
}

}  // namespace wigeon
