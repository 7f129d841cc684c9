// SPDX-License-Identifier: GPL-2.0-or-later
// Offsets inside the arena of Zones, for the two files that read and write it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wigeon::dns::layout {

inline constexpr size_t kZone = 0;  // u16, index of the zone
inline constexpr size_t kFlags = 2;
inline constexpr size_t kSets = 3;
inline constexpr size_t kNameLength = 4;
inline constexpr size_t kName = 5;
inline constexpr uint8_t kHasWildcard = 1;  // "*" exists directly below

inline constexpr size_t kSetHead = 2 + 2 + 4 + 4;

}  // namespace wigeon::dns::layout
