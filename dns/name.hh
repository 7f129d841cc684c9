// SPDX-License-Identifier: GPL-2.0-or-later
// Domain names in wire form: length-prefixed labels and the root's zero. Compared and
// hashed without regard to ASCII case (RFC 4343), escaped only in text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/ip.hh"
#include "agent/base/result.hh"

namespace wigeon::dns {

inline constexpr size_t kMaxName = 255;  // bytes on the wire, the root's zero included
inline constexpr size_t kMaxLabel = 63;

using Bytes = std::span<const uint8_t>;

inline uint8_t lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c | 0x20) : c;
}

class Name {
 public:
  Name() { bytes_[0] = 0; }  // the root
  // "www.example.com", with or without the last dot; "." is the root. \DDD and \X as in
  // RFC 1035 §5.1. The error says what is wrong, not which name.
  static Result<Name> parse(std::string_view text);
  // Exactly one uncompressed name.
  static Result<Name> from_wire(Bytes wire);
  // 192.0.2.1 → 1.2.0.192.in-addr.arpa; IPv6 → 32 nibbles below ip6.arpa.
  static Name reverse(const Address& address);

  [[nodiscard]] Bytes wire() const { return {bytes_.data(), size_}; }
  [[nodiscard]] bool is_root() const { return size_ == 1; }
  [[nodiscard]] size_t labels() const;     // the root not counted
  [[nodiscard]] std::string text() const;  // always with the last dot
  [[nodiscard]] Name lowered() const;
  // False, with nothing changed, when the label is empty or too long, or the name would
  // be.
  bool append(Bytes label);

  friend bool operator==(const Name& a, const Name& b);

 private:
  bool take_plain(std::string_view text);
  std::array<uint8_t, kMaxName> bytes_;  // meaningful up to size_; zeroing it all costs
  uint8_t size_ = 1;
};

// The functions below take names in wire form; every suffix of a name is one as well.
inline Bytes parent(Bytes name) {
  return name.size() > 1 ? name.subspan(1u + name[0]) : name;
}
inline bool is_wildcard(Bytes name) {
  return name.size() > 2 && name[0] == 1 && name[1] == '*';
}
bool same_name(Bytes a, Bytes b);
bool is_within(Bytes name, Bytes ancestor);  // equal to it or below it
uint64_t hash_name(Bytes lowered);
std::string name_text(Bytes name);

// What a name below in-addr.arpa or ip6.arpa stands for: the longest network its labels
// spell, read from the right.
struct Reverse {
  Prefix network{};
  Bytes name{};        // the suffix that spells it
  bool exact = false;  // no labels are left over
};
// Nothing when the name is not below either of the two.
std::optional<Reverse> parse_reverse(Bytes lowered);

}  // namespace wigeon::dns
