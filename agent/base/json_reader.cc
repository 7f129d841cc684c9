// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/json_reader.hh"

// Debug builds read like all others.
#define SIMDJSON_DEVELOPMENT_CHECKS 0
#include <simdjson.h>

#include <charconv>
#include <new>
#include <vector>

namespace wigeon::json {

namespace lazy = simdjson::ondemand;

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view without_mark(std::string_view bytes) {
  return bytes.substr(bytes.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
}

template <class T>
bool get(simdjson::simdjson_result<T> result, T& to) {
  return std::move(result).get(to) == simdjson::SUCCESS;
}

}  // namespace

struct Reader::Inside {
  struct Level {
    bool object = false, begun = false;
    lazy::object_iterator member{};
    lazy::array_iterator element{};
  };

  Inside(std::string_view text_of_document, const Limits& bounds);
  Token next();
  // of: the document, or a value in it.
  Token take(auto& of);
  bool take_number(auto& of);
  bool begin(Level& level, auto& of);
  Token member(lazy::object_iterator& at);
  Token open(bool object);
  Token close(Token token);

  Limits limits;
  simdjson::padded_string bytes;
  lazy::parser parser{};
  lazy::document document{};
  lazy::value value{};  // the latest, or the one of the latest key
  std::vector<Level> levels{};
  bool readable = false, started = false, after_key = false;
  std::string_view text{};
  Number number{};
};

Reader::Inside::Inside(std::string_view text_of_document, const Limits& bounds)
    : limits(bounds), bytes(without_mark(text_of_document)) {
  // To simdjson a NUL ends a number or word like a blank.
  if (text_of_document.find('\0') != text_of_document.npos) return;
  const auto error = parser.iterate(bytes).get(document);
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  readable = error == simdjson::SUCCESS;
}

Reader::Token Reader::Inside::next() {
  if (!readable) return Token::wrong;
  if (!started) {
    started = true;
    return take(document);
  }
  if (levels.empty())
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS ? Token::end
                                                                          : Token::wrong;
  if (after_key) {
    after_key = false;
    return take(value);
  }
  auto& level = levels.back();
  if (!level.begun) {
    if (!(levels.size() == 1 ? begin(level, document) : begin(level, value)))
      return Token::wrong;
  } else if (level.object) {
    ++level.member;
  } else {
    ++level.element;
  }
  if (level.object)
    return level.member == lazy::object_iterator{} ? close(Token::object_end)
                                                   : member(level.member);
  if (level.element == lazy::array_iterator{}) return close(Token::list_end);
  return get(*level.element, value) ? take(value) : Token::wrong;
}

bool Reader::Inside::begin(Level& level, auto& of) {
  level.begun = true;
  if (level.object) {
    lazy::object object;
    return get(of.get_object(), object) && get(object.begin(), level.member);
  }
  lazy::array list;
  return get(of.get_array(), list) && get(list.begin(), level.element);
}

Reader::Token Reader::Inside::member(lazy::object_iterator& at) {
  lazy::field field;
  if (!get(*at, field) || !get(field.unescaped_key(), text) ||
      text.size() > limits.string_bytes)
    return Token::wrong;
  value = field.value();
  after_key = true;
  return Token::key;
}

Reader::Token Reader::Inside::open(bool object) {
  if (levels.size() == limits.depth) return Token::wrong;
  levels.push_back({.object = object});
  return object ? Token::object : Token::list;
}

Reader::Token Reader::Inside::close(Token token) {
  levels.pop_back();
  return token;
}

Reader::Token Reader::Inside::take(auto& of) {
  lazy::json_type type{};
  if (!get(of.type(), type)) return Token::wrong;
  bool yes = false;
  switch (type) {
    case lazy::json_type::object:
      return open(true);
    case lazy::json_type::array:
      return open(false);
    case lazy::json_type::string:
      return get(of.get_string(), text) && text.size() <= limits.string_bytes
                 ? Token::text
                 : Token::wrong;
    case lazy::json_type::number:
      return take_number(of) ? Token::number : Token::wrong;
    case lazy::json_type::boolean:
      if (!get(of.get_bool(), yes)) return Token::wrong;
      return yes ? Token::yes : Token::no;
    case lazy::json_type::null:
      return get(of.is_null(), yes) && yes ? Token::null : Token::wrong;
  }
  return Token::wrong;
}

bool Reader::Inside::take_number(auto& of) {
  std::string_view word;  // and the blanks behind it
  if (!get<std::string_view>(of.raw_json_token(), word) ||
      word.find_last_not_of(" \t\r\n") >= limits.word_bytes)
    return false;
  number = {.negative = word.starts_with('-')};
  int64_t n = 0;
  if (!number.negative && get(of.get_uint64(), number.magnitude)) return true;
  if (number.negative && get(of.get_int64(), n)) {
    number.magnitude = 0 - static_cast<uint64_t>(n);
    return true;
  }
  number = {.whole = false};
  if (!get(of.get_double(), number.real)) return false;
  // simdjson 3.0.1 takes 0.99999999999999999999 for 0.078: 20 digits do not fit in 64
  // bits.
  double exact = 0;
  if (std::from_chars(word.data(), word.data() + word.size(), exact).ec == std::errc{})
    number.real = exact;
  return true;
}

Reader::Reader(std::string_view bytes, const Limits& limits)
    : inside_(std::make_unique<Inside>(bytes, limits)) {}
Reader::Reader(Reader&& other) noexcept = default;
Reader& Reader::operator=(Reader&& other) noexcept = default;
Reader::~Reader() = default;

Reader::Token Reader::next() { return inside_->next(); }
std::string_view Reader::text() const { return inside_->text; }
const Number& Reader::number() const { return inside_->number; }

}  // namespace wigeon::json
