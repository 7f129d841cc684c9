// SPDX-License-Identifier: GPL-2.0-or-later
// Which networks of the map the administrator wants, with NetBird's rules:
//   - everything is selected, also what is new, unless all was deselected;
//   - `select` replaces the selection, or adds to it;
//   - a network that does not apply by itself (skipAutoApply) waits until it is selected;
//   - of exit nodes one is used, and stays it until another is selected.
// An exit node "x" and its IPv6 twin "x-v6" are one: whoever names the twin means both.
// Pure; what is remembered goes into a file as JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hh"

namespace wigeon {

inline constexpr size_t kMaxSelectionBytes = 32u << 20;
inline constexpr size_t kMaxSelectionIds = 50'000;  // of each list; kMaxMapRoutes

struct AvailableNetwork {
  std::string id{};
  bool exit_node = false;
  bool automatic = true;  // false: skipAutoApply
};

// Lists are sorted and free of duplicates. Ids need not be available now: a network that
// comes back finds its selection again.
struct NetworkSelection {
  bool deselected_all = false;
  std::vector<std::string> deselected{};
  std::vector<std::string> selected{};  // by name
  std::string exit_node{};              // the pick; empty: none yet

  friend bool operator==(const NetworkSelection&, const NetworkSelection&) = default;
};

struct NetworksInUse {
  std::vector<bool> used{};  // for each available network
  std::string exit_node{};   // the pick to be remembered
};

// available is sorted by id, as in all of these.
NetworksInUse networks_in_use(const NetworkSelection& selection,
                              std::span<const AvailableNetwork> available);

enum class SelectMode { replace, append };

// ENOENT: "route 'x' is not available", for each that is not. EINVAL: two exit nodes.
Result<NetworkSelection> select_networks(const NetworkSelection& selection,
                                         std::span<const AvailableNetwork> available,
                                         std::span<const std::string> ids,
                                         SelectMode mode);
// Without exit nodes that do not apply by themselves: those want to be named.
NetworkSelection select_all_networks(const NetworkSelection& selection,
                                     std::span<const AvailableNetwork> available);
// With an exit node goes every other one: traffic is not handed to one nobody chose.
Result<NetworkSelection> deselect_networks(const NetworkSelection& selection,
                                           std::span<const AvailableNetwork> available,
                                           std::span<const std::string> ids);
NetworkSelection deselect_all_networks(const NetworkSelection& selection);

// {"deselectedAll":false,"deselected":["a"],"selected":["b"],"exitNode":"b"}, one line.
std::string encode(const NetworkSelection& selection);
// EINVAL with one problem a line; file is for those.
Result<NetworkSelection> decode_selection(std::string_view json, std::string_view file);

}  // namespace wigeon
