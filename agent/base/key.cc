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

constexpr size_t kKeyText = 44;

std::unexpected<Error> not_a_key() {
  return fail(EINVAL, "a key is 32 bytes in base64 (44 characters)");
}

// In a time that tells nothing of the key.
Result<void> decode_secret(std::string_view text, std::span<uint8_t, kKeyBytes> out) {
  size_t n = 0;
  const char* end = nullptr;
  if (text.size() != kKeyText ||
      sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &n,
                        &end, kVariant) != 0 ||
      n != kKeyBytes || end != text.data() + text.size())
    return not_a_key();
  return {};
}

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNoDigit = 0xff;
constexpr auto kValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<uint8_t>(i);
  return values;
}();

// What is public may take as long as it takes: a map has thousands.
bool decode_public(std::string_view text, std::span<uint8_t, kKeyBytes> out) {
  if (text.size() != kKeyText || text.back() != '=') return false;
  const auto value = [&](size_t i) -> uint32_t {
    return kValues[static_cast<unsigned char>(text[i])];
  };
  uint32_t wrong = 0;
  for (size_t group = 0, at = 0; at < kKeyBytes; group += 4, at += 3) {
    const bool last = at + 3 > kKeyBytes;
    const uint32_t d[] = {value(group), value(group + 1), value(group + 2),
                          last ? 0 : value(group + 3)};
    wrong |= d[0] | d[1] | d[2] | d[3];
    const uint32_t bytes = d[0] << 18 | d[1] << 12 | d[2] << 6 | d[3];
    out[at] = static_cast<uint8_t>(bytes >> 16);
    out[at + 1] = static_cast<uint8_t>(bytes >> 8);
    if (!last)
      out[at + 2] = static_cast<uint8_t>(bytes);
    else if ((bytes & 0xff) != 0)
      return false;  // bits that no byte takes
  }
  return wrong < 64;
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
  if (!decode_public(base64, k.bytes_)) return not_a_key();
  return k;
}

Result<Key> Key::from_bytes(std::span<const uint8_t> bytes) {
  Key k;
  TRY(copy_key(bytes, k.bytes_));
  return k;
}

std::string Key::text() const {
  std::string s(kKeyText, '=');
  for (size_t group = 0, at = 0; at < kKeyBytes; group += 4, at += 3) {
    const bool last = at + 3 > kKeyBytes;
    const uint32_t bytes = uint32_t{bytes_[at]} << 16 | uint32_t{bytes_[at + 1]} << 8 |
                           (last ? 0u : bytes_[at + 2]);
    s[group] = kDigits[bytes >> 18];
    s[group + 1] = kDigits[bytes >> 12 & 63];
    s[group + 2] = kDigits[bytes >> 6 & 63];
    if (!last) s[group + 3] = kDigits[bytes & 63];
  }
  return s;
}

SecretKey::~SecretKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

Result<SecretKey> SecretKey::parse(std::string_view base64) {
  SecretKey k;
  TRY(decode_secret(base64, k.bytes_));
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
