// SPDX-License-Identifier: GPL-2.0-or-later
// The only file that sees nlohmann_json, and of it only the SAX parser (no C stack per
// nesting level, nothing thrown on bad input): it says where and how a document that the
// reader gave up on is wrong.
#include "agent/model/json.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <span>

#include "agent/base/json_reader.hh"
#include "agent/model/limits.hh"

namespace wigeon::json {
namespace {

// \u0041 is six bytes for one.
constexpr size_t kMaxRawStringBytes = kMaxStringBytes * 6;
constexpr Reader::Limits kLimits{
    .depth = kMaxDepth, .string_bytes = kMaxRawStringBytes, .word_bytes = kMaxWordBytes};

// Where one of the limits above is left. Found before nlohmann's parser runs, because it
// buffers whole strings and numbers, and takes a NUL byte for the end of the document.
struct Breach {
  size_t at = std::string_view::npos;
  std::string reason{};
};

Breach find_breach(std::string_view bytes) {
  size_t depth = 0, word = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    switch (bytes[i]) {
      case '"': {
        word = 0;
        const size_t start = i++;
        while (i < bytes.size() && bytes[i] != '"') {
          if (bytes[i] == '\\') ++i;
          if (++i - start > kMaxRawStringBytes + 1)
            return {start, fmt::format("a string longer than {} bytes", kMaxStringBytes)};
        }
        break;
      }
      case '{':
      case '[':
        word = 0;
        if (++depth > kMaxDepth)
          return {i, fmt::format("nested more than {} levels deep", kMaxDepth)};
        break;
      case '}':
      case ']':
        word = 0;
        if (depth > 0) --depth;
        break;
      case ':':
      case ',':
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        word = 0;
        break;
      case '\0':
        return {i, "a NUL byte"};
      default:
        if (++word > kMaxWordBytes)
          return {i + 1 - word,
                  fmt::format("a number or word longer than {} bytes", kMaxWordBytes)};
    }
  }
  return {};
}

std::string line_and_column(std::string_view bytes, size_t at) {
  const auto before = bytes.substr(0, at);
  const auto newline = before.rfind('\n');
  return fmt::format("line {}, column {}", std::ranges::count(before, '\n') + 1,
                     newline == before.npos ? at + 1 : at - newline);
}

char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_folded(std::string_view a, std::string_view b) {
  size_t i = 0, j = 0;
  for (;;) {
    while (i < a.size() && a[i] == '_') ++i;
    while (j < b.size() && b[j] == '_') ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (fold(a[i++]) != fold(b[j++])) return false;
  }
}

const Field* find_field(const Shape& shape, std::string_view key) {
  for (const auto& f : shape.fields)
    if (f.name == key) return &f;
  if (shape.names == Shape::Names::exact) return nullptr;
  for (const auto& f : shape.fields)
    if (same_folded(f.name, key)) return &f;
  return nullptr;
}

// A key as a segment of an RFC 6901 pointer.
std::string escaped(std::string_view key) {
  std::string out;
  for (const char c : printable(key)) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

class Decoder {
 public:
  Decoder(std::string_view bytes, std::string_view file, const Shape& shape, void* root)
      : bytes_(bytes), file_(file), root_shape_(shape), root_(root) {}

  void run() {
    Reader reader(bytes_, kLimits);
    while (take(reader)) {
    }
  }

  Problems take() && { return std::move(problems_); }

 private:
  struct Slice {
    uint32_t at = 0, size = 0;
  };
  struct Frame {
    enum class Kind { object, array };
    Kind kind = Kind::object;
    const Shape* shape = nullptr;  // object: null when nobody wants its members
    void* target = nullptr;        // the struct; of an array, the one that holds the list
    const Field* field = nullptr;  // of the latest key; of an array, the list itself
    size_t index = 0;              // array: one more than the latest element's
    size_t first_member = 0, first_name = 0;
    size_t problems_before = 0;
    uint64_t seen = 0;            // object: which of the shape's first 64 fields
    bool may_have_twins = false;  // object: members are to be compared
  };

  // Takes one token. False: it was the last one.
  bool take(Reader& reader);
  bool number(const Number& n);
  bool key(std::string_view v);
  bool close_list() {
    frames_.pop_back();
    return true;
  }
  bool complain();

  // A value begins: counts it, and says what it is for. Null when it is to be skipped.
  const Field* expect();
  bool scalar(const Scalar& s);
  bool open(Frame::Kind kind);
  bool close_object();
  static void note_member(Frame& f);
  void find_duplicates(const Frame& f);
  bool charge(size_t bytes);

  std::string_view name_at(Slice s) const {
    return std::string_view(names_).substr(s.at, s.size);
  }
  // Of the latest value, or of the innermost object or list itself.
  enum class Of { value, container };
  std::string pointer(Of of) const;
  bool problem(std::string at, std::string value, std::string reason);
  bool stop(std::string at, std::string reason);
  bool stop_at(size_t byte, std::string_view reason) {
    return stop({}, line_and_column(bytes_, byte) + ": " + std::string(reason));
  }

  std::string_view bytes_;
  std::string_view file_;
  const Shape& root_shape_;
  void* root_;
  Problems problems_{};
  bool stopped_ = false;
  size_t decoded_ = 0;
  std::vector<Frame> frames_{};
  // Keys of all open objects, the innermost one's last.
  std::string names_{};
  std::vector<Slice> members_{};
};

bool Decoder::take(Reader& reader) {
  using Token = Reader::Token;
  switch (reader.next()) {
    case Token::object:
      return open(Frame::Kind::object);
    case Token::object_end:
      return close_object();
    case Token::list:
      return open(Frame::Kind::array);
    case Token::list_end:
      return close_list();
    case Token::key:
      return key(reader.text());
    case Token::text:
      return scalar({.kind = Scalar::Kind::text, .text = reader.text()});
    case Token::number:
      return number(reader.number());
    case Token::yes:
      return scalar({.kind = Scalar::Kind::boolean, .boolean = true});
    case Token::no:
      return scalar({.kind = Scalar::Kind::boolean, .boolean = false});
    case Token::null:
      return scalar({});
    case Token::end:
      return false;
    case Token::wrong:
      return complain();
  }
  return false;
}

bool Decoder::number(const Number& n) {
  if (!n.whole) return scalar({.kind = Scalar::Kind::real, .real = n.real});
  return scalar({.kind = Scalar::Kind::integer,
                 .negative = n.negative && n.magnitude != 0,
                 .magnitude = n.magnitude});
}

bool Decoder::problem(std::string at, std::string value, std::string reason) {
  problems_.add({std::string(file_), std::move(at), std::move(value), std::move(reason)});
  if (problems_.count() < kMaxProblemsCounted) return true;
  stopped_ = true;
  return false;
}

bool Decoder::stop(std::string at, std::string reason) {
  problem(std::move(at), {}, std::move(reason));
  stopped_ = true;
  return false;
}

std::string Decoder::pointer(Of of) const {
  std::string out;
  const size_t n = frames_.size() - (of == Of::container && !frames_.empty() ? 1 : 0);
  for (size_t i = 0; i < n; ++i) {
    const auto& f = frames_[i];
    if (f.kind == Frame::Kind::array) {
      out += '/' + std::to_string(f.index - 1);
    } else {
      // The latest key of this object ends where the next object's begin.
      const size_t end =
          i + 1 < frames_.size() ? frames_[i + 1].first_member : members_.size();
      out += '/' + (end > f.first_member ? escaped(name_at(members_[end - 1])) : "");
    }
  }
  return out;
}

bool Decoder::charge(size_t bytes) {
  decoded_ += bytes;
  if (decoded_ <= kDecodedFloor + kDecodedPerByte * bytes_.size()) return true;
  return stop(pointer(Of::value), "the document decodes to much more than its own size");
}

const Field* Decoder::expect() {
  auto& f = frames_.back();
  if (f.kind == Frame::Kind::array) ++f.index;
  return f.field;
}

bool Decoder::scalar(const Scalar& s) {
  if (frames_.empty()) return stop({}, "the document must be an object");
  const Field* field = expect();
  if (s.text.size() > kMaxStringBytes)
    return problem(pointer(Of::value), {},
                   fmt::format("a string longer than {} bytes", kMaxStringBytes));
  if (!field) return true;
  const auto& f = frames_.back();
  const bool element = f.kind == Frame::Kind::array;
  const auto shown = [&] { return field->secret ? std::string() : s.shown(); };
  if (s.kind == Scalar::Kind::null && !element && f.shape->nulls == Shape::Nulls::absent)
    return true;
  if (field->kind != (element ? Field::Kind::scalars : Field::Kind::scalar)) {
    const bool object =
        field->kind == (element ? Field::Kind::objects : Field::Kind::object);
    return problem(pointer(Of::value), shown(),
                   fmt::format("expected {}, not {}", object ? "an object" : "a list",
                               name(s.kind)));
  }
  if (element && f.index > field->max)
    return stop(pointer(Of::container), fmt::format("more than {} entries", field->max));
  // A list's storage doubles as it grows. Strings cost little more than their text did.
  if (element && !charge(2 * field->element_bytes)) return false;
  auto set = field->set(f.target, field->context, s);
  return set || problem(pointer(Of::value), shown(), std::move(set).error().what);
}

bool Decoder::open(Frame::Kind kind) {
  const bool object = kind == Frame::Kind::object;
  Frame next{.kind = kind,
             .first_member = members_.size(),
             .first_name = names_.size(),
             .problems_before = problems_.count()};
  if (frames_.empty()) {
    if (!object) return stop({}, "the document must be an object, not a list");
    next.shape = &root_shape_;
    next.target = root_;
  } else if (const Field* field = expect()) {
    const auto& f = frames_.back();
    const bool element = f.kind == Frame::Kind::array;
    if (object && field->kind == (element ? Field::Kind::objects : Field::Kind::object)) {
      if (element && f.index > field->max)
        return stop(pointer(Of::container),
                    fmt::format("more than {} entries", field->max));
      if (element && !charge(2 * field->element_bytes)) return false;
      next.shape = field->shape;
      next.target = field->enter(f.target);
    } else if (!object && !element && field->clear) {
      field->clear(f.target, field->context);
      next.field = field;
      next.target = f.target;
      next.shape = f.shape;
    } else if (!problem(pointer(Of::value), {},
                        fmt::format("{} is not expected here",
                                    object ? "an object" : "a list"))) {
      return false;
    }
  }
  frames_.push_back(next);
  return true;
}

bool Decoder::key(std::string_view v) {
  auto& f = frames_.back();
  f.field = f.shape ? find_field(*f.shape, v) : nullptr;
  if (v.size() > kMaxStringBytes)
    return stop(pointer(Of::container),
                fmt::format("a key longer than {} bytes", kMaxStringBytes));
  if (members_.size() - f.first_member == kMaxMembers)
    return stop(pointer(Of::container), fmt::format("more than {} keys", kMaxMembers));
  // Both styles of a field's name are one key.
  const std::string_view name = f.field ? f.field->name : v;
  members_.push_back(
      {static_cast<uint32_t>(names_.size()), static_cast<uint32_t>(name.size())});
  names_ += name;
  note_member(f);
  if (!f.field && f.shape && f.shape->unknown == Shape::Unknown::refused)
    return problem(pointer(Of::value), {}, "unknown key");
  return true;
}

// Most objects have no other keys than their shape's, each once.
void Decoder::note_member(Frame& f) {
  const auto index =
      f.field ? static_cast<size_t>(f.field - f.shape->fields.data()) : SIZE_MAX;
  const uint64_t bit = index < 64 ? uint64_t{1} << index : 0;
  if (bit == 0 || (f.seen & bit) != 0) f.may_have_twins = true;
  f.seen |= bit;
}

void Decoder::find_duplicates(const Frame& f) {
  if (!f.may_have_twins) return;
  const std::span<Slice> members = std::span(members_).subspan(f.first_member);
  if (members.size() < 2) return;
  std::ranges::sort(members, {}, [&](Slice s) { return name_at(s); });
  for (size_t i = 1; i < members.size(); ++i) {
    const auto name = name_at(members[i]);
    if (name != name_at(members[i - 1]) || (i >= 2 && name == name_at(members[i - 2])))
      continue;
    if (!problem(pointer(Of::container) + '/' + escaped(name), {},
                 "the key occurs more than once"))
      return;
  }
}

bool Decoder::close_object() {
  const Frame f = frames_.back();
  find_duplicates(f);
  if (f.shape && f.shape->finish && problems_.count() == f.problems_before) {
    auto done = f.shape->finish(f.target);
    if (!done) problem(pointer(Of::container), {}, std::move(done).error().what);
  }
  members_.resize(f.first_member);
  names_.resize(f.first_name);
  frames_.pop_back();
  // What has a problem is not kept: a million bad elements must not take memory.
  if (f.shape && problems_.count() != f.problems_before && !frames_.empty() &&
      frames_.back().kind == Frame::Kind::array)
    frames_.back().field->drop(frames_.back().target);
  return !stopped_;
}

// What nlohmann_json says of a document that is not JSON.
struct Complaint {
  size_t position = 0;  // one more than the byte's
  std::string reason{};

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(int64_t) { return true; }
  bool number_unsigned(uint64_t) { return true; }
  bool number_float(double, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(nlohmann::json::binary_t&) { return true; }
  bool start_object(size_t) { return true; }
  bool end_object() { return true; }
  bool start_array(size_t) { return true; }
  bool end_array() { return true; }
  bool key(std::string&) { return true; }
  bool parse_error(size_t at, const std::string&, const nlohmann::detail::exception& e) {
    position = at;
    // "[json.exception…] parse error at line 1, column 2: syntax error while parsing …".
    // What it read last may be a secret.
    std::string_view what = e.what();
    if (const auto from = what.find("syntax error"); from != what.npos)
      what = what.substr(from);
    reason = what.substr(0, what.find("; last read:"));
    return false;
  }
};

bool Decoder::complain() {
  const Breach breach = find_breach(bytes_);
  const auto head = bytes_.substr(0, breach.at);
  Complaint c{.reason = "not JSON"};
  const bool fine = nlohmann::json::sax_parse(head.data(), head.data() + head.size(), &c);
  // Behind the breach there is nothing but our own cut.
  if (breach.at != bytes_.npos && (fine || c.position > breach.at))
    return stop_at(breach.at, breach.reason);
  if (bytes_.find_first_not_of(" \t\r\n") == bytes_.npos)
    return stop({}, "the document is empty");
  return stop_at(c.position > 0 ? std::min(c.position - 1, bytes_.size()) : 0,
                 printable(c.reason, 200));
}

}  // namespace

std::string_view name(Scalar::Kind kind) {
  switch (kind) {
    case Scalar::Kind::null:
      return "null";
    case Scalar::Kind::boolean:
      return "true or false";
    case Scalar::Kind::integer:
    case Scalar::Kind::real:
      return "a number";
    case Scalar::Kind::text:
      return "a string";
  }
  return {};
}

std::string Scalar::shown() const {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return boolean ? "true" : "false";
    case Kind::integer:
      return (negative ? "-" : "") + std::to_string(magnitude);
    case Kind::real:
      return fmt::format("{}", real);
    case Kind::text:
      return wigeon::shown(text);
  }
  return {};
}

Problems decode(std::string_view bytes, std::string_view file, const Shape& shape,
                void* root) {
  Decoder d(bytes, file, shape, root);
  d.run();
  return std::move(d).take();
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out += '"';
}

}  // namespace wigeon::json
