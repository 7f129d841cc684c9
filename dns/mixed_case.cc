// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/mixed_case.hh"

namespace wigeon::dns {
namespace {

constexpr uint8_t kCaseBit = 0x20;

// Lengths of labels are below 64 and so never taken for a letter.
bool is_letter(uint8_t c) {
  const uint8_t l = c | kCaseBit;
  return l >= 'a' && l <= 'z';
}

}  // namespace

void mix_case(std::span<uint8_t> name, Random& random) {
  size_t letters = 0, upper = 0;
  do {
    letters = upper = 0;
    uint32_t bits = 0;
    for (uint8_t& c : name) {
      if (!is_letter(c)) continue;
      if (letters++ % 16 == 0) bits = random.u16();
      upper += bits & 1;
      c = static_cast<uint8_t>((c | kCaseBit) ^ ((bits & 1) ? kCaseBit : 0));
      bits >>= 1;
    }
  } while (letters > 1 && (upper == 0 || upper == letters));
}

}  // namespace wigeon::dns
