// SPDX-License-Identifier: GPL-2.0-or-later
// Fixed-width fields of the messages between daemon and resolver. Big-endian.
#pragma once

#include <array>
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/result.hh"
#include "dns/name.hh"

namespace wigeon::dns {

class ByteWriter {
 public:
  ByteWriter() = default;
  explicit ByteWriter(size_t expected) { out_.reserve(expected); }

  template <std::unsigned_integral T>
  void put(T v) {
    std::array<uint8_t, sizeof(T)> bytes;
    for (size_t i = 0; i < sizeof(T); ++i)
      bytes[i] = static_cast<uint8_t>(v >> (8 * (sizeof(T) - 1 - i)));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  void flag(bool b) { put(static_cast<uint8_t>(b)); }
  void text(std::string_view s) {  // at most 65535 bytes
    put(static_cast<uint16_t>(s.size()));
    out_.insert(out_.end(), s.begin(), s.end());
  }
  void address(const Address& a) {
    const auto b = a.bytes();
    put(static_cast<uint8_t>(b.size()));
    out_.insert(out_.end(), b.begin(), b.end());
  }
  void endpoint(const Endpoint& e) {
    address(e.address);
    put(e.port);
    if (e.address.needs_scope()) put(e.scope);
  }
  std::vector<uint8_t> take() && { return std::move(out_); }

 private:
  std::vector<uint8_t> out_{};
};

// Every getter fails with EBADMSG when the bytes do not hold what is asked for.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : left_(bytes) {}

  template <std::unsigned_integral T>
  Result<T> get() {
    const Bytes b = TRY(take(sizeof(T)));
    uint64_t v = 0;
    for (const uint8_t byte : b) v = v << 8 | byte;
    return static_cast<T>(v);
  }
  Result<bool> flag() {
    const auto b = TRY(get<uint8_t>());
    if (b > 1) return fail(EBADMSG, "neither yes nor no");
    return b == 1;
  }
  // Into the bytes read.
  Result<std::string_view> view(size_t max) {
    const size_t size = TRY(get<uint16_t>());
    if (size > max) return fail(EBADMSG, "a text is too long");
    const Bytes b = TRY(take(size));
    return std::string_view(reinterpret_cast<const char*>(b.data()), b.size());
  }
  Result<std::string> text(size_t max) { return std::string(TRY(view(max))); }
  Result<Address> address() {
    const size_t size = TRY(get<uint8_t>());
    auto a = Address::from_bytes(TRY(take(size)));
    if (!a) return fail(EBADMSG, a.error().what);
    return a;
  }
  Result<Endpoint> endpoint() {
    Endpoint e{TRY(address()), 0};
    e.port = TRY(get<uint16_t>());
    if (e.address.needs_scope()) e.scope = TRY(get<uint32_t>());
    return e;
  }
  Result<size_t> count(size_t max, std::string_view what) {
    const size_t n = TRY(get<uint32_t>());
    if (n > max)
      return fail(E2BIG, "more than " + std::to_string(max) + " " + std::string(what));
    return n;
  }
  Result<void> end() const {
    if (!left_.empty()) return fail(EBADMSG, "bytes are left over");
    return {};
  }
  [[nodiscard]] size_t left() const { return left_.size(); }

 private:
  Result<Bytes> take(size_t n) {
    if (left_.size() < n) return fail(EBADMSG, "cut off");
    const Bytes b = left_.first(n);
    left_ = left_.subspan(n);
    return b;
  }
  Bytes left_;
};

}  // namespace wigeon::dns
