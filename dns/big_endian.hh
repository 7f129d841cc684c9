// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers in network order, at any address.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wigeon::dns {

inline uint16_t load16(const uint8_t* at) {
  return static_cast<uint16_t>(at[0] << 8 | at[1]);
}
inline uint32_t load32(const uint8_t* at) {
  return uint32_t{load16(at)} << 16 | load16(at + 2);
}
inline void store16(uint8_t* at, size_t v) {
  at[0] = static_cast<uint8_t>(v >> 8);
  at[1] = static_cast<uint8_t>(v);
}
inline void store32(uint8_t* at, uint32_t v) {
  store16(at, v >> 16);
  store16(at + 2, v);
}

}  // namespace wigeon::dns
