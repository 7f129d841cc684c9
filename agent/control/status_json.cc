// SPDX-License-Identifier: GPL-2.0-or-later
// Straight to text: the daemon's loop waits while it writes the status of ten thousand
// peers.
#include <algorithm>
#include <charconv>
#include <cstring>

#include "agent/control/json.hh"
#include "agent/control/status_fields.hh"
#include "agent/control/time_text.hh"

namespace wigeon {
namespace {

constexpr size_t kFixedBytes = 16 << 10, kBytesPerPeer = 640;  // about

// The text so far, and room behind it that is written without looking at each byte.
class Text {
 public:
  explicit Text(size_t expected) { grow(expected); }

  // n bytes to write to; used() says how far they were.
  char* room(size_t n) {
    if (static_cast<size_t>(end_ - at_) < n) grow(n);
    return at_;
  }
  void used(char* to) { at_ = to; }
  void add(char c) {
    *room(1) = c;
    ++at_;
  }
  void add(std::string_view s) {
    std::memcpy(room(s.size()), s.data(), s.size());
    at_ += s.size();
  }
  std::string take() && {
    bytes_.resize(static_cast<size_t>(at_ - bytes_.data()));
    return std::move(bytes_);
  }

 private:
  void grow(size_t n) {
    const auto used = static_cast<size_t>(at_ - begin_);
    bytes_.resize_and_overwrite(std::max(bytes_.size() * 2, used + n),
                                [](char*, size_t all) { return all; });
    begin_ = bytes_.data();
    at_ = begin_ + used;
    end_ = begin_ + bytes_.size();
  }

  std::string bytes_{};
  char *begin_ = nullptr, *at_ = nullptr, *end_ = nullptr;
};

class Writer {
 public:
  explicit Writer(Text& out) : out_(out) {}

  // A key of ours, which needs no escapes.
  template <size_t N>
  void operator()(const char (&key)[N], const auto& field) {
    begin(key);
    value(field);
  }
  template <size_t N>
  void unless_empty(const char (&key)[N], const auto& field) {
    if (!status_fields::empty(field)) (*this)(key, field);
  }
  template <size_t N>
  void or_null(const char (&key)[N], const auto& list) {
    begin(key);
    if (list.empty())
      out_.add("null");
    else
      value(list);
  }

 private:
  void next() {
    if (!first_) out_.add(',');
    first_ = false;
  }
  template <size_t N>
  void begin(const char (&key)[N]) {
    char* p = out_.room(N + 3);
    if (!first_) *p++ = ',';
    first_ = false;
    *p++ = '"';
    std::memcpy(p, key, N - 1);
    p += N - 1;
    *p++ = '"';
    *p++ = ':';
    out_.used(p);
  }
  // Nothing in it needs an escape.
  void plain(std::string_view s) {
    char* p = out_.room(s.size() + 2);
    *p++ = '"';
    std::memcpy(p, s.data(), s.size());
    p += s.size();
    *p++ = '"';
    out_.used(p);
  }
  void string(std::string_view s) {
    const auto as_it_is = [](unsigned char c) {
      return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
    };
    if (std::ranges::all_of(s, as_it_is))
      plain(s);
    else
      out_.add(dump_json(Json(s)));
  }
  void number(auto n) {
    constexpr size_t longest = 20;
    char* p = out_.room(longest);
    out_.used(std::to_chars(p, p + longest, n).ptr);
  }

  void value(bool b) { out_.add(b ? "true" : "false"); }
  void value(std::unsigned_integral auto n) { number(n); }
  void value(const std::string& s) { string(s); }
  void value(WallTime t) { plain(rfc3339(t)); }
  void value(std::chrono::nanoseconds d) { number(d.count()); }
  void value(const Key& k) { plain(k.is_zero() ? "" : k.text()); }
  template <class T>
  void value(const std::optional<T>& address) {
    plain(address ? address->text() : "");
  }
  template <class E>
  void value(E e) requires std::is_enum_v<E> {
    plain(text(e));
  }
  template <class T>
  void value(const std::vector<T>& list) {
    out_.add('[');
    for (bool later = false; const auto& item : list) {
      if (std::exchange(later, true)) out_.add(',');
      value(item);
    }
    out_.add(']');
  }
  template <class T>
  void value(const std::map<std::string, T>& map) {
    Writer inner(out_);
    out_.add('{');
    for (const auto& [key, item] : map) {
      inner.next();
      inner.string(key);
      out_.add(':');
      inner.value(item);
    }
    out_.add('}');
  }
  template <class T>
  void value(const T& structure) requires std::is_aggregate_v<T> {
    Writer inner(out_);
    out_.add('{');
    status_fields::describe(inner, structure);
    out_.add('}');
  }

  Text& out_;
  bool first_ = true;
};

std::string object(const auto& structure, size_t room) {
  Text out(room);
  out.add('{');
  Writer writer(out);
  status_fields::describe(writer, structure);
  out.add('}');
  return std::move(out).take();
}

}  // namespace

std::string to_json(const StatusReport& report) {
  return object(report, kFixedBytes + report.peers.details.size() * kBytesPerPeer);
}

std::string to_json(const DnsStatus& dns) { return object(dns, kFixedBytes); }

}  // namespace wigeon
