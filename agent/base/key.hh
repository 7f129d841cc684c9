// SPDX-License-Identifier: GPL-2.0-or-later
// WireGuard keys. A public Key is a value that prints; a SecretKey is wiped and never
// prints.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon {

inline constexpr size_t kKeyBytes = 32;

// Curve25519 public key (RFC 7748).
class Key {
 public:
  Key() = default;  // all zero: no key
  // 44 characters of standard base64 with padding, decoding to 32 bytes; EINVAL
  // otherwise.
  static Result<Key> parse(std::string_view base64);
  static Result<Key> from_bytes(std::span<const uint8_t> bytes);

  [[nodiscard]] std::span<const uint8_t, kKeyBytes> bytes() const { return bytes_; }
  [[nodiscard]] bool is_zero() const { return *this == Key{}; }
  [[nodiscard]] std::string text() const;  // base64

  auto operator<=>(const Key&) const = default;

 private:
  std::array<uint8_t, kKeyBytes> bytes_{};
};

// Private or preshared key. Memory is wiped when it goes; comparison takes constant time.
class SecretKey {
 public:
  SecretKey() = default;  // all zero: none
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  static Result<SecretKey> parse(std::string_view base64);
  static Result<SecretKey> from_bytes(std::span<const uint8_t> bytes);
  // A fresh Curve25519 private key, clamped, from the kernel's CSPRNG.
  static SecretKey generate();
  // Makes a Curve25519 private key of any 32 bytes (RFC 7748 section 5); the public key
  // stays.
  void clamp();

  [[nodiscard]] std::span<const uint8_t, kKeyBytes> bytes() const { return bytes_; }
  [[nodiscard]] bool is_zero() const;
  [[nodiscard]] Key public_key() const;
  // For the key file and WireGuard's own protocols only. The caller wipes the string.
  [[nodiscard]] std::string reveal() const;

  friend bool operator==(const SecretKey& a, const SecretKey& b);

 private:
  std::array<uint8_t, kKeyBytes> bytes_{};
};

// Overwrites the characters before they are freed.
void wipe(std::string& s);

// Standard base64 with padding. decode: at most max bytes; EINVAL when malformed or
// longer.
std::string base64_encode(std::span<const uint8_t> bytes);
Result<std::string> base64_decode(std::string_view text, size_t max);

// Reads the private key of this host; makes it when the file is missing (directory 0700,
// file 0600, O_EXCL). Refuses (EPERM) a file that others than its owner can read, and one
// that belongs to somebody else than root or us.
Result<SecretKey> load_or_make_private_key(const std::string& path);
// The same file rules, but a missing file is ENOENT.
Result<SecretKey> load_secret_key(const std::string& path);

}  // namespace wigeon

template <>
struct std::hash<wigeon::Key> {
  size_t operator()(const wigeon::Key& k) const noexcept;
};
