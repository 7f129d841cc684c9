// SPDX-License-Identifier: GPL-2.0-or-later
// The network map as a file that others replace.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/base/loop.hh"
#include "agent/base/result.hh"

namespace wigeon {

// Changes within this time of each other are one.
inline constexpr std::chrono::milliseconds kMapSettle{50};

class MapSource {
 public:
  struct Update {
    std::optional<std::string> bytes{};  // what the file holds; at most kMaxMapBytes
    std::string error{};                 // or why it cannot be read: "path: reason"
    bool missing = false;                // there is no such file
  };
  using Changed = std::move_only_function<void(Update)>;

  // path is absolute. Tells the present state before it returns, and from the loop each
  // change of the content. A file in the middle of a write may be told as it is; the rest
  // of it follows. changed may not destroy the source. The loop must live longer.
  static Result<MapSource> open(Loop& loop, std::string path, Changed changed);
  MapSource(MapSource&&) noexcept;
  MapSource& operator=(MapSource&&) noexcept;
  ~MapSource();

  // Reads again and tells, also when nothing changed.
  void reload();

 private:
  struct State;
  explicit MapSource(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wigeon
