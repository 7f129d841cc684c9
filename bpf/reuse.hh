// SPDX-License-Identifier: GPL-2.0-or-later
// Maps that a predecessor pinned, in the place of new ones.
#pragma once

#include <span>

#include "agent/base/result.hh"
#include "bpf/pins.hh"

struct bpf_map;

namespace wigeon::bpf {

struct PinnedMap {
  bpf_map* map = nullptr;
  const char* pin = nullptr;
  bool reused = false;
};

// Before the object is loaded. A pinned map of another shape is another version's; it is
// left for pin_new() to replace.
Result<void> reuse(std::span<PinnedMap> maps, const PinDirectory& pins);
// After the program is attached.
Result<void> pin_new(std::span<const PinnedMap> maps, const PinDirectory& pins);

}  // namespace wigeon::bpf
