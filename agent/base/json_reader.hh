// SPDX-License-Identifier: GPL-2.0-or-later
// JSON text (RFC 8259) as a sequence of tokens, each of which was checked: UTF-8,
// escapes, the form of numbers. Nothing is allocated but for strings with escapes, and no
// C stack is used per level. It says that something is wrong and not what: whoever needs
// words for people gets them from a slower look at the same text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
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
    size_t depth = 32;               // at most 64
    size_t string_bytes = SIZE_MAX;  // between the quotes, escapes as they are written
    size_t word_bytes = SIZE_MAX;    // of a number, or whatever else is not punctuation
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

  // bytes must outlive the reader. A byte order mark before the document is skipped.
  Reader(std::string_view bytes, const Limits& limits);

  Token next();
  // Of the latest key or text, without its escapes. Inside the bytes, or when
  // has_escapes(), valid until the next call of next().
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] bool has_escapes() const { return escapes_; }
  [[nodiscard]] const Number& number() const { return number_; }
  // Where the next token is looked for.
  [[nodiscard]] size_t at() const { return static_cast<size_t>(at_ - begin_); }

 private:
  enum class Expect { value, first_value, key, first_key, colon, separator };

  void skip_blanks();
  Token value();
  Token open(Token token);
  Token close(Token token);
  bool string();
  bool unescape(const char* from, const char* to);
  bool take_number();
  bool literal(std::string_view word);
  [[nodiscard]] bool short_word(const char* start) const;
  [[nodiscard]] bool in_object() const { return (objects_ & 1) != 0; }

  const char *begin_, *at_, *end_;
  Limits limits_;
  Expect expect_ = Expect::value;
  size_t depth_ = 0;
  uint64_t objects_ = 0;  // a bit for each open object or list, the innermost lowest
  std::string_view text_{};
  bool escapes_ = false;
  std::string unescaped_{};
  Number number_{};
};

}  // namespace wigeon::json
