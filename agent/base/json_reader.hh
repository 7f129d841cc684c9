// SPDX-License-Identifier: GPL-2.0-or-later
// JSON text (RFC 8259) as a sequence of tokens, each of which simdjson checked: UTF-8,
// escapes, the form of numbers. No C stack is used per level. It says that something is
// wrong and not what: whoever needs words for people gets them from a slower look at the
// same text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace wigeon::json {

struct Number {
  bool whole = true;      // false: real counts
  bool negative = false;  // whole: the sign of magnitude, also of 0
  uint64_t magnitude = 0;
  double real = 0;  // a number with fraction or exponent, or beyond 64 bits
};

class Reader {
 public:
  struct Limits {
    size_t depth = 32;               // at most 1,000
    size_t string_bytes = SIZE_MAX;  // its escapes replaced
    size_t word_bytes = SIZE_MAX;    // of a number
  };
  enum class Token {
    object,
    object_end,
    list,
    list_end,
    key,
    text,
    number,
    yes,
    no,
    null,
    end,    // of the document; nothing but blanks is behind it
    wrong,  // not JSON, or beyond a limit. The last token.
  };

  // Copies bytes, and takes up to four bytes more for each of them until destroyed. A
  // byte order mark before the document is skipped. Where there is a NUL, a byte that is
  // not UTF-8 or a string without end, the first token is wrong. So is an exponent of 20
  // digits or more, where it comes.
  Reader(std::string_view bytes, const Limits& limits);
  Reader(Reader&& other) noexcept;
  Reader& operator=(Reader&& other) noexcept;
  ~Reader();

  Token next();
  // Of the latest key or text, its escapes replaced. Valid as long as the reader.
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] const Number& number() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace wigeon::json
