// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/name.hh"

#include <algorithm>
#include <cstring>

namespace wigeon::dns {
namespace {

constexpr std::string_view kSpecial = ".\\\"();@$";

// One character of a label, escapes resolved. Moves text past it.
Result<uint8_t> take_character(std::string_view& text) {
  const auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text[0] != '\\') {
    const auto c = static_cast<uint8_t>(text[0]);
    text.remove_prefix(1);
    return c;
  }
  if (text.size() >= 4 && digit(1) && digit(2) && digit(3)) {
    const int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    if (value > 255) return fail(EINVAL, "an escape is larger than \\255");
    text.remove_prefix(4);
    return static_cast<uint8_t>(value);
  }
  if (text.size() < 2 || digit(1)) return fail(EINVAL, "an escape is not \\DDD or \\X");
  const auto c = static_cast<uint8_t>(text[1]);
  text.remove_prefix(2);
  return c;
}

int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// "0" to "255" as ipv4 reverse names write it, without leading zeros; -1 for anything
// else.
int octet(Bytes label) {
  if (label.empty() || label.size() > 3 || (label.size() > 1 && label[0] == '0'))
    return -1;
  int value = 0;
  for (const uint8_t c : label) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value <= 255 ? value : -1;
}

constexpr uint8_t kInAddr[] =
    "\x07in-addr\x04"
    "arpa";
constexpr uint8_t kIp6[] =
    "\x03ip6\x04"
    "arpa";

}  // namespace

// Nearly every name: no escapes, nothing wrong. False: nobody knows yet.
bool Name::take_plain(std::string_view text) {
  if (text.find('\\') != text.npos) return false;
  for (;;) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    if (!append({reinterpret_cast<const uint8_t*>(label.data()), label.size()}))
      return false;
    if (dot == text.npos || dot + 1 == text.size()) return true;
    text.remove_prefix(dot + 1);
  }
}

Result<Name> Name::parse(std::string_view text) {
  Name name;
  if (text.empty()) return fail(EINVAL, "the name is empty");
  if (text == ".") return name;
  if (name.take_plain(text)) return name;
  name = {};
  std::array<uint8_t, kMaxLabel> label{};
  size_t size = 0;
  const auto finish = [&]() -> Result<void> {
    if (size == 0) return fail(EINVAL, "a label is empty");
    if (!name.append({label.data(), size}))
      return fail(ENAMETOOLONG, "longer than 255 bytes");
    size = 0;
    return {};
  };
  while (!text.empty()) {
    if (text[0] == '.') {
      TRY(finish());
      text.remove_prefix(1);
      if (text.empty()) return name;
      continue;
    }
    if (size == kMaxLabel) return fail(ENAMETOOLONG, "a label is longer than 63 bytes");
    label[size++] = TRY(take_character(text));
  }
  TRY(finish());
  return name;
}

Result<Name> Name::from_wire(Bytes wire) {
  Name name;
  while (!wire.empty() && wire[0] != 0) {
    if (wire[0] > kMaxLabel || wire.size() < 1u + wire[0])
      return fail(EBADMSG, "a label is cut off or longer than 63 bytes");
    if (!name.append(wire.subspan(1, wire[0])))
      return fail(EBADMSG, "longer than 255 bytes");
    wire = wire.subspan(1u + wire[0]);
  }
  if (wire.size() != 1) return fail(EBADMSG, "not exactly one name");
  return name;
}

Name Name::reverse(const Address& address) {
  Name name;
  const auto bytes = address.bytes();
  for (auto b = bytes.rbegin(); b != bytes.rend(); ++b) {
    if (address.is_v4()) {
      const std::string digits = std::to_string(*b);
      name.append({reinterpret_cast<const uint8_t*>(digits.data()), digits.size()});
      continue;
    }
    for (const int nibble : {*b & 15, *b >> 4}) {
      const auto c = static_cast<uint8_t>("0123456789abcdef"[nibble]);
      name.append({&c, 1});
    }
  }
  Bytes rest = address.is_v4() ? Bytes(kInAddr) : Bytes(kIp6);
  for (; rest.size() > 1; rest = parent(rest)) name.append(rest.subspan(1, rest[0]));
  return name;
}

size_t Name::labels() const {
  size_t n = 0;
  for (Bytes rest = wire(); rest.size() > 1; rest = parent(rest)) ++n;
  return n;
}

std::string Name::text() const { return name_text(wire()); }

Name Name::lowered() const {
  Name name = *this;
  // Length bytes are at most 63, below 'A', so they need no exception.
  for (size_t i = 0; i < size_; ++i) name.bytes_[i] = lower(bytes_[i]);
  return name;
}

bool Name::append(Bytes label) {
  if (label.empty() || label.size() > kMaxLabel || size_ + label.size() + 1 > kMaxName)
    return false;
  bytes_[size_ - 1u] = static_cast<uint8_t>(label.size());
  std::memcpy(bytes_.data() + size_, label.data(), label.size());
  size_ = static_cast<uint8_t>(size_ + label.size() + 1);
  bytes_[size_ - 1u] = 0;
  return true;
}

bool operator==(const Name& a, const Name& b) { return same_name(a.wire(), b.wire()); }

bool same_name(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  if (std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](uint8_t x, uint8_t y) { return lower(x) == lower(y); });
}

bool is_within(Bytes name, Bytes ancestor) {
  while (name.size() > ancestor.size()) name = parent(name);
  return same_name(name, ancestor);
}

uint64_t hash_name(Bytes lowered) {
  constexpr uint64_t kMultiplier = 0x9fb21c651e98df25;
  uint64_t h = lowered.size() * kMultiplier;
  const uint8_t* at = lowered.data();
  size_t left = lowered.size();
  const auto mix = [&](uint64_t word) {
    h = (h ^ word) * kMultiplier;
    h ^= h >> 29;
  };
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  uint64_t word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  mix(word);
  h *= kMultiplier;
  return h ^ (h >> 32);
}

std::string name_text(Bytes name) {
  if (name.size() <= 1) return ".";
  std::string out;
  for (; name.size() > 1; name = parent(name)) {
    for (const uint8_t c : name.subspan(1, name[0])) {
      if (c <= ' ' || c >= 0x7f) {
        out += {'\\', static_cast<char>('0' + c / 100),
                static_cast<char>('0' + c / 10 % 10), static_cast<char>('0' + c % 10)};
        continue;
      }
      if (kSpecial.find(static_cast<char>(c)) != kSpecial.npos) out += '\\';
      out += static_cast<char>(c);
    }
    out += '.';
  }
  return out;
}

std::optional<Reverse> parse_reverse(Bytes lowered) {
  const bool v4 = is_within(lowered, kInAddr);
  if (!v4 && !is_within(lowered, kIp6)) return std::nullopt;
  std::array<Bytes, 128> suffixes;  // a name of 255 bytes has at most 127 labels
  size_t count = 0;
  for (Bytes rest = lowered; rest.size() > (v4 ? sizeof kInAddr : sizeof kIp6);
       rest = parent(rest))
    suffixes[count++] = rest;
  std::array<uint8_t, 16> bytes{};
  const size_t whole = v4 ? 4 : 32;
  size_t used = 0;
  for (; used < std::min(whole, count); ++used) {
    const Bytes label =
        suffixes[count - 1 - used].subspan(1, suffixes[count - 1 - used][0]);
    const int value = v4 ? octet(label) : label.size() == 1 ? hex_digit(label[0]) : -1;
    if (value < 0) break;
    if (v4)
      bytes[used] = static_cast<uint8_t>(value);
    else
      bytes[used / 2] =
          static_cast<uint8_t>(bytes[used / 2] | value << (used % 2 ? 0 : 4));
  }
  const auto address = *Address::from_bytes({bytes.data(), v4 ? 4u : 16u});
  return Reverse{*Prefix::make(address, static_cast<int>(used * (v4 ? 8 : 4))),
                 used > 0 ? suffixes[count - used]
                 : v4     ? Bytes(kInAddr)
                          : Bytes(kIp6),
                 used == count};
}

}  // namespace wigeon::dns
