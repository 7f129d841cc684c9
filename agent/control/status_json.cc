// SPDX-License-Identifier: GPL-2.0-or-later
// Straight to text: the daemon's loop waits while it writes the status of ten thousand
// peers.
#include <algorithm>

#include "agent/control/json.hh"
#include "agent/control/status_fields.hh"
#include "agent/control/time_text.hh"

namespace wigeon {
namespace {

constexpr size_t kFixedBytes = 16 << 10, kBytesPerPeer = 640;  // about

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  // A key of ours, which needs no escapes.
  void operator()(const char* key, const auto& field) {
    begin(key);
    value(field);
  }
  void unless_empty(const char* key, const auto& field) {
    if (!status_fields::empty(field)) (*this)(key, field);
  }
  void or_null(const char* key, const auto& list) {
    begin(key);
    if (list.empty())
      out_ += "null";
    else
      value(list);
  }

 private:
  void next() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void begin(const char* key) {
    next();
    out_.append(1, '"').append(key).append("\":");
  }
  void string(std::string_view s) {
    const auto as_it_is = [](unsigned char c) {
      return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
    };
    if (std::ranges::all_of(s, as_it_is))
      out_.append(1, '"').append(s).append(1, '"');
    else
      out_ += dump_json(Json(s));
  }

  void value(bool b) { out_ += b ? "true" : "false"; }
  void value(std::unsigned_integral auto n) { out_ += std::to_string(n); }
  void value(const std::string& s) { string(s); }
  void value(WallTime t) { string(rfc3339(t)); }
  void value(std::chrono::nanoseconds d) { out_ += std::to_string(d.count()); }
  void value(const Key& k) { string(k.is_zero() ? "" : k.text()); }
  template <class T>
  void value(const std::optional<T>& address) {
    string(address ? address->text() : "");
  }
  template <class E>
  void value(E e) requires std::is_enum_v<E> {
    string(text(e));
  }
  template <class T>
  void value(const std::vector<T>& list) {
    out_ += '[';
    for (bool later = false; const auto& item : list) {
      if (std::exchange(later, true)) out_ += ',';
      value(item);
    }
    out_ += ']';
  }
  template <class T>
  void value(const std::map<std::string, T>& map) {
    Writer inner(out_);
    out_ += '{';
    for (const auto& [key, item] : map) {
      inner.next();
      inner.string(key);
      out_ += ':';
      inner.value(item);
    }
    out_ += '}';
  }
  template <class T>
  void value(const T& structure) requires std::is_aggregate_v<T> {
    Writer inner(out_);
    out_ += '{';
    status_fields::describe(inner, structure);
    out_ += '}';
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace

std::string to_json(const StatusReport& report) {
  std::string out = "{";
  out.reserve(kFixedBytes + report.peers.details.size() * kBytesPerPeer);
  Writer writer(out);
  status_fields::describe(writer, report);
  return out + "}";
}

}  // namespace wigeon
