// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/json_reader.hh"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace wigeon::json {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool ends_word(char c) {
  return c == '"' || c == '{' || c == '}' || c == '[' || c == ']' || c == ':' ||
         c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

// Printable ASCII but for the quote and the backslash.
bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

// The first byte that is not plain; eight at a time.
const char* skip_plain(const char* p, const char* end) {
  constexpr uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
  for (; end - p >= 8; p += 8) {
    uint64_t w = 0;
    std::memcpy(&w, p, sizeof w);
    // Exact for "all are plain": a borrow only comes out of a byte that is not.
    const uint64_t quote = w ^ (ones * '"'), backslash = w ^ (ones * '\\');
    if (((w | (w - ones * 0x20) | (quote - ones) | (backslash - ones)) & high) != 0)
      break;
  }
  while (p < end && is_plain(static_cast<unsigned char>(*p))) ++p;
  return p;
}

// Length of the well-formed UTF-8 sequence of several bytes at p; 0: there is none
// (Unicode 15, table 3-7).
size_t sequence_length(const char* p, const char* end) {
  const auto byte = [&](ptrdiff_t i) {
    return i < end - p ? static_cast<unsigned char>(p[i]) : 0u;
  };
  const auto within = [&](ptrdiff_t i, unsigned least, unsigned most) {
    return byte(i) >= least && byte(i) <= most;
  };
  const auto lead = byte(0);
  if (lead >= 0xc2 && lead <= 0xdf) return within(1, 0x80, 0xbf) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef)
    return within(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf) &&
                   within(2, 0x80, 0xbf)
               ? 3
               : 0;
  if (lead >= 0xf0 && lead <= 0xf4)
    return within(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf) &&
                   within(2, 0x80, 0xbf) && within(3, 0x80, 0xbf)
               ? 4
               : 0;
  return 0;
}

// Four hexadecimal digits; -1: something else.
int hex4(const char* p, const char* end) {
  unsigned n = 0;
  if (end - p < 4) return -1;
  const auto [stop, error] = std::from_chars(p, p + 4, n, 16);
  return error == std::errc{} && stop == p + 4 ? static_cast<int>(n) : -1;
}

void append_utf8(std::string& to, unsigned c) {
  const auto add = [&](unsigned byte) { to += static_cast<char>(byte); };
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      add(0xe0 | c >> 12);
    } else {
      add(0xf0 | c >> 18);
      add(0x80 | (c >> 12 & 0x3f));
    }
    add(0x80 | (c >> 6 & 0x3f));
  }
  add(0x80 | (c & 0x3f));
}

// The character of a one-letter escape; 0: there is none.
char short_escape(char c) {
  constexpr std::string_view letters = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
  const auto i = letters.find(c);
  return i == letters.npos ? '\0' : meant[i];
}

}  // namespace

Reader::Reader(std::string_view bytes, const Limits& limits)
    : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()), limits_(limits) {
  limits_.depth = std::min<size_t>(limits_.depth, 64);
  if (bytes.starts_with(kByteOrderMark)) at_ += kByteOrderMark.size();
}

void Reader::skip_blanks() {
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r'))
    ++at_;
}

Reader::Token Reader::next() {
  skip_blanks();
  if (expect_ == Expect::separator) {
    if (depth_ == 0) return at_ == end_ ? Token::end : Token::wrong;
    if (at_ == end_) return Token::wrong;
    if (*at_ == (in_object() ? '}' : ']'))
      return close(in_object() ? Token::object_end : Token::list_end);
    if (*at_ != ',') return Token::wrong;
    ++at_;
    expect_ = in_object() ? Expect::key : Expect::value;
    skip_blanks();
  } else if (expect_ == Expect::colon) {
    if (at_ == end_ || *at_ != ':') return Token::wrong;
    ++at_;
    expect_ = Expect::value;
    skip_blanks();
  }
  if (at_ == end_) return Token::wrong;
  switch (expect_) {
    case Expect::first_key:
      if (*at_ == '}') return close(Token::object_end);
      [[fallthrough]];
    case Expect::key:
      if (*at_ != '"' || !string()) return Token::wrong;
      expect_ = Expect::colon;
      return Token::key;
    case Expect::first_value:
      if (*at_ == ']') return close(Token::list_end);
      return value();
    case Expect::value:
    case Expect::colon:
    case Expect::separator:
      return value();
  }
  return Token::wrong;
}

Reader::Token Reader::open(Token token) {
  if (depth_ == limits_.depth) return Token::wrong;
  ++at_;
  ++depth_;
  objects_ = objects_ << 1 | (token == Token::object ? 1u : 0u);
  expect_ = token == Token::object ? Expect::first_key : Expect::first_value;
  return token;
}

Reader::Token Reader::close(Token token) {
  ++at_;
  --depth_;
  objects_ >>= 1;
  expect_ = Expect::separator;
  return token;
}

Reader::Token Reader::value() {
  switch (*at_) {
    case '{':
      return open(Token::object);
    case '[':
      return open(Token::list);
    default:
      break;
  }
  expect_ = Expect::separator;
  switch (*at_) {
    case '"':
      return string() ? Token::text : Token::wrong;
    case 't':
      return literal("true") ? Token::yes : Token::wrong;
    case 'f':
      return literal("false") ? Token::no : Token::wrong;
    case 'n':
      return literal("null") ? Token::null : Token::wrong;
    default:
      return take_number() ? Token::number : Token::wrong;
  }
}

// What follows a word without punctuation between is part of it, as far as the limit
// goes.
bool Reader::short_word(const char* start) const {
  const char* p = at_;
  while (p < end_ && !ends_word(*p) &&
         static_cast<size_t>(p - start) <= limits_.word_bytes)
    ++p;
  return static_cast<size_t>(p - start) <= limits_.word_bytes;
}

bool Reader::literal(std::string_view word) {
  const char* start = at_;
  if (static_cast<size_t>(end_ - at_) < word.size() ||
      std::memcmp(at_, word.data(), word.size()) != 0)
    return false;
  at_ += word.size();
  return short_word(start);
}

bool Reader::take_number() {
  const char* start = at_;
  const auto digits = [this] {
    const char* first = at_;
    while (at_ < end_ && is_digit(*at_)) ++at_;
    return at_ != first;
  };
  const bool minus = *at_ == '-';
  if (minus) ++at_;
  const char* first = at_;
  if (!digits() || (*first == '0' && at_ - first > 1)) return false;
  const char* last = at_;
  if (at_ < end_ && *at_ == '.') {
    ++at_;
    if (!digits()) return false;
  }
  bool tiny = false;  // what is out of range is so at this end
  if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ < end_ && (*at_ == '+' || *at_ == '-')) tiny = *at_++ == '-';
    if (!digits()) return false;
  }
  if (!short_word(start)) return false;

  number_ = {};
  if (at_ == last) {
    const auto [stop, error] = std::from_chars(first, last, number_.magnitude);
    number_.negative = minus;
    constexpr uint64_t most_negative = uint64_t{1} << 63;
    if (error == std::errc{} && (!minus || number_.magnitude <= most_negative))
      return true;
  }
  number_ = {.whole = false};
  const auto [stop, error] = std::from_chars(start, at_, number_.real);
  if (error == std::errc::result_out_of_range) return tiny;
  return error == std::errc{} && std::isfinite(number_.real);
}

bool Reader::string() {
  const char* from = ++at_;
  escapes_ = false;
  for (;;) {
    at_ = skip_plain(at_, end_);
    if (at_ == end_) return false;
    if (*at_ == '"') break;
    if (*at_ == '\\') {
      escapes_ = true;
      at_ += 2;  // its meaning is looked at in the end
      if (at_ > end_) return at_ = end_, false;
    } else {
      const auto n = sequence_length(at_, end_);
      if (n == 0) return false;
      at_ += n;
    }
    if (static_cast<size_t>(at_ - from) > limits_.string_bytes) return false;
  }
  const char* to = at_++;
  if (static_cast<size_t>(to - from) > limits_.string_bytes) return false;
  if (escapes_) return unescape(from, to);
  text_ = {from, to};
  return true;
}

bool Reader::unescape(const char* from, const char* to) {
  unescaped_.clear();
  for (const char* p = from; p < to;) {
    const char* plain = std::find(p, to, '\\');
    unescaped_.append(p, plain);
    p = plain;
    if (p == to) break;
    ++p;
    if (*p != 'u') {
      const char c = short_escape(*p++);
      if (c == '\0') return false;
      unescaped_ += c;
      continue;
    }
    const int unit = hex4(++p, to);
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff)) return false;
    p += 4;
    auto c = static_cast<unsigned>(unit);
    if (c >= 0xd800 && c <= 0xdbff) {
      const int low = to - p >= 2 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, to) : -1;
      if (low < 0xdc00 || low > 0xdfff) return false;
      p += 6;
      c = 0x10000 + ((c & 0x3ff) << 10 | (static_cast<unsigned>(low) & 0x3ff));
    }
    append_utf8(unescaped_, c);
  }
  text_ = unescaped_;
  return true;
}

}  // namespace wigeon::json
