// SPDX-License-Identifier: GPL-2.0-or-later
// Short fingerprints, to tell whether something changed without keeping it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace wigeon {

// SipHash-2-4 with a key of this process: nobody outside can make two inputs alike, and a
// digest means nothing to another process. Never 0, which is left for "none".
uint64_t digest(std::span<const uint8_t> bytes);
uint64_t digest(std::string_view text);

}  // namespace wigeon
