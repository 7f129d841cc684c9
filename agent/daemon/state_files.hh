// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon keeps in its state directory, beside the key.
#pragma once

#include <string>

namespace wigeon {

inline std::string journal_file(const std::string& state_directory) {
  return state_directory + "/journal";
}
// Up or down.
inline std::string administrative_file(const std::string& state_directory) {
  return state_directory + "/state.json";
}
// The last good map.
inline std::string last_good_file(const std::string& state_directory) {
  return state_directory + "/network_map.json";
}
// Which networks are selected.
inline std::string selection_file(const std::string& state_directory) {
  return state_directory + "/networks.json";
}
// What resolv.conf was before we wrote it.
inline std::string resolv_conf_base(const std::string& state_directory) {
  return state_directory + "/resolv.conf";
}

}  // namespace wigeon
