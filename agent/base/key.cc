// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/key.hh"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>

#include "agent/base/file.hh"
#include "agent/base/owned.hh"

namespace wigeon {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;

Result<void> decode_key(std::string_view text, std::span<uint8_t, kKeyBytes> out) {
  size_t n = 0;
  const char* end = nullptr;
  if (text.size() != 44 ||
      sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &n,
                        &end, kVariant) != 0 ||
      n != kKeyBytes || end != text.data() + text.size())
    return fail(EINVAL, "a key is 32 bytes in base64 (44 characters)");
  return {};
}

Result<void> copy_key(std::span<const uint8_t> from, std::span<uint8_t, kKeyBytes> to) {
  if (from.size() != kKeyBytes)
    return fail(EINVAL, "a key has 32 bytes, not " + std::to_string(from.size()));
  std::ranges::copy(from, to.begin());
  return {};
}

}  // namespace

Result<Key> Key::parse(std::string_view base64) {
  Key k;
  TRY(decode_key(base64, k.bytes_));
  return k;
}

Result<Key> Key::from_bytes(std::span<const uint8_t> bytes) {
  Key k;
  TRY(copy_key(bytes, k.bytes_));
  return k;
}

std::string Key::text() const { return base64_encode(bytes_); }

SecretKey::~SecretKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

Result<SecretKey> SecretKey::parse(std::string_view base64) {
  SecretKey k;
  TRY(decode_key(base64, k.bytes_));
  return k;
}

Result<SecretKey> SecretKey::from_bytes(std::span<const uint8_t> bytes) {
  SecretKey k;
  TRY(copy_key(bytes, k.bytes_));
  return k;
}

SecretKey SecretKey::generate() {
  SecretKey k;
  randombytes_buf(k.bytes_.data(), k.bytes_.size());
  k.clamp();
  return k;
}

void SecretKey::clamp() {
  bytes_[0] &= 248;
  bytes_[31] = static_cast<uint8_t>((bytes_[31] & 127) | 64);
}

bool SecretKey::is_zero() const {
  return sodium_is_zero(bytes_.data(), bytes_.size()) == 1;
}

Key SecretKey::public_key() const {
  std::array<uint8_t, kKeyBytes> out{};
  crypto_scalarmult_base(out.data(), bytes_.data());
  return *Key::from_bytes(out);
}

std::string SecretKey::reveal() const { return base64_encode(bytes_); }

bool operator==(const SecretKey& a, const SecretKey& b) {
  return sodium_memcmp(a.bytes_.data(), b.bytes_.data(), kKeyBytes) == 0;
}

void wipe(std::string& s) {
  sodium_memzero(s.data(), s.capacity());
  s.clear();
}

std::string base64_encode(std::span<const uint8_t> bytes) {
  std::string s(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(s.data(), s.size(), bytes.data(), bytes.size(), kVariant);
  s.pop_back();  // the terminating zero
  return s;
}

Result<std::string> base64_decode(std::string_view text, size_t max) {
  std::string out(std::min(max, text.size() / 4 * 3 + 3), '\0');
  size_t n = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<uint8_t*>(out.data()), out.size(), text.data(),
                        text.size(), nullptr, &n, &end, kVariant) != 0 ||
      end != text.data() + text.size())
    return fail(EINVAL, "not base64 of at most " + std::to_string(max) + " bytes");
  out.resize(n);
  return out;
}

Result<SecretKey> load_secret_key(const std::string& path) {
  auto text = read_file(path, 4096, FileRule::secret);
  if (!text) return within(path, std::move(text).error());
  std::string_view v = *text;
  while (!v.empty() && (v.back() == '\n' || v.back() == '\r' || v.back() == ' '))
    v.remove_suffix(1);
  auto key = SecretKey::parse(v);
  wipe(*text);
  if (!key) return within(path, std::move(key).error());
  if (key->is_zero()) return fail(EINVAL, path + ": the key is all zero");
  return key;
}

Result<SecretKey> load_or_make_private_key(const std::string& path) {
  auto have = load_secret_key(path);
  // The kernel clamps what it is given, and would show another key than the file's for
  // ever.
  if (have) have->clamp();
  if (have || have.error().code != ENOENT) return have;
  auto key = SecretKey::generate();
  std::string text = key.reveal() + "\n";
  auto written = write_new_file(path, text, 0600);
  wipe(text);
  if (!written) return within("making the private key", std::move(written).error());
  return key;
}

}  // namespace wigeon

size_t std::hash<wigeon::Key>::operator()(const wigeon::Key& k) const noexcept {
  // A public key is uniformly distributed already.
  size_t h;
  std::memcpy(&h, k.bytes().data(), sizeof h);
  return h;
}
