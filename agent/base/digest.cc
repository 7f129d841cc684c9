// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/digest.hh"

#include <sodium.h>

#include <array>
#include <cstring>

namespace wigeon {
namespace {

struct HashKey {
  std::array<uint8_t, crypto_shorthash_KEYBYTES> bytes{};
  HashKey() { crypto_shorthash_keygen(bytes.data()); }
};

}  // namespace

uint64_t digest(std::span<const uint8_t> bytes) {
  static const HashKey key;
  std::array<uint8_t, crypto_shorthash_BYTES> out{};
  crypto_shorthash(out.data(), bytes.data(), bytes.size(), key.bytes.data());
  uint64_t value = 0;
  std::memcpy(&value, out.data(), sizeof value);
  return value != 0 ? value : 1;
}

uint64_t digest(std::string_view text) {
  return digest(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

}  // namespace wigeon
