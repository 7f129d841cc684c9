// SPDX-License-Identifier: GPL-2.0-or-later
#include <initializer_list>
#include <limits>
#include <optional>

#include "agent/control/json_tree.hh"
#include "agent/control/status_fields.hh"
#include "agent/control/time_text.hh"

namespace wigeon {
namespace {

template <class E>
inline constexpr std::initializer_list<E> kAll{};
template <>
inline constexpr std::initializer_list<PeerState> kAll<PeerState>{
    PeerState::idle, PeerState::connecting, PeerState::connected};
template <>
inline constexpr std::initializer_list<ConnectionType> kAll<ConnectionType>{
    ConnectionType::none, ConnectionType::p2p, ConnectionType::relayed};
template <>
inline constexpr std::initializer_list<DaemonStatus> kAll<DaemonStatus>{
    DaemonStatus::idle,        DaemonStatus::connecting,   DaemonStatus::connected,
    DaemonStatus::needs_login, DaemonStatus::login_failed, DaemonStatus::session_expired};
template <>
inline constexpr std::initializer_list<Severity> kAll<Severity>{Severity::warning,
                                                                Severity::error};

using Node = JsonTree::Node;
using Kind = Node::Kind;

// Where a value is; its text is made when something is wrong there.
struct At {
  const At* up = nullptr;
  std::string_view key{};
  size_t index = 0;
  bool element = false;

  [[nodiscard]] std::string text() const {
    if (!up) return "";
    return up->text() + "/" + (element ? std::to_string(index) : std::string(key));
  }
};

// Fills fields from one JSON object. The first thing that does not fit is kept, with the
// way to it; later ones are skipped.
class Decoder {
 public:
  Decoder(Node object, const At& at, Result<void>& result)
      : object_(object), at_(at), result_(result) {
    if (!object.is_object()) wrong(at_, "must be an object");
  }

  void operator()(std::string_view key, auto& field) {
    if (!result_ || !object_.is_object()) return;
    const auto found = object_.find(key);
    if (found && found->kind() != Kind::null)
      value(*found, At{.up = &at_, .key = key}, field);
  }
  void unless_empty(std::string_view key, auto& field) { (*this)(key, field); }
  void or_null(std::string_view key, auto& field) { (*this)(key, field); }

 private:
  void wrong(const At& at, std::string why) {
    if (!result_) return;
    const auto place = at.text();
    result_ = fail(EINVAL, (place.empty() ? "/" : place) + ": " + std::move(why));
  }

  void value(Node j, const At& at, bool& b) {
    if (j.kind() != Kind::yes && j.kind() != Kind::no)
      return wrong(at, "must be true or false");
    b = j.kind() == Kind::yes;
  }
  void value(Node j, const At& at, std::unsigned_integral auto& n) {
    using N = std::decay_t<decltype(n)>;
    constexpr auto max = std::numeric_limits<N>::max();
    if (j.kind() != Kind::number || !j.number().whole || j.number().negative ||
        j.number().magnitude > max)
      return wrong(at, "must be a number from 0 to " + std::to_string(max));
    n = static_cast<N>(j.number().magnitude);
  }
  void value(Node j, const At& at, std::string& s) {
    if (j.kind() != Kind::text) return wrong(at, "must be a string");
    s = j.text();
  }
  // The string, or nothing after an error.
  std::optional<std::string_view> string(Node j, const At& at) {
    if (j.kind() == Kind::text) return j.text();
    wrong(at, "must be a string");
    return std::nullopt;
  }
  void parsed(const At& at, auto result, auto& field) {
    if (!result) return wrong(at, std::move(result).error().what);
    field = *std::move(result);
  }
  void value(Node j, const At& at, WallTime& t) {
    if (const auto s = string(j, at)) parsed(at, parse_rfc3339(*s), t);
  }
  void value(Node j, const At& at, std::chrono::nanoseconds& d) {
    const auto limit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (j.kind() != Kind::number || !j.number().whole ||
        (!j.number().negative && j.number().magnitude > limit))
      return wrong(at, "must be nanoseconds");
    const auto& n = j.number();
    d = std::chrono::nanoseconds(
        static_cast<int64_t>(n.negative ? 0 - n.magnitude : n.magnitude));
  }
  void value(Node j, const At& at, Key& k) {
    const auto s = string(j, at);
    if (s && !s->empty()) parsed(at, Key::parse(*s), k);
  }
  template <class T>
  void value(Node j, const At& at, std::optional<T>& address) {
    const auto s = string(j, at);
    if (s && !s->empty()) parsed(at, T::parse(*s), address);
  }
  template <class E>
  void value(Node j, const At& at, E& e) requires std::is_enum_v<E> {
    const auto s = string(j, at);
    if (!s) return;
    for (const E candidate : kAll<E>) {
      if (text(candidate) == *s) {
        e = candidate;
        return;
      }
    }
    wrong(at, "unknown value " + std::string(*s));
  }
  template <class T>
  void value(Node j, const At& at, std::vector<T>& list) {
    if (!j.is_list()) return wrong(at, "must be a list");
    list.clear();
    size_t i = 0;
    j.each([&](Node element) {
      if (!result_) return;
      value(element, At{.up = &at, .index = i++, .element = true}, list.emplace_back());
    });
  }
  template <class T>
  void value(Node j, const At& at, std::map<std::string, T>& map) {
    if (!j.is_object()) return wrong(at, "must be an object");
    j.each([&](Node member) {
      value(member, At{.up = &at, .key = member.key()}, map[std::string(member.key())]);
    });
  }
  template <class T>
  void value(Node j, const At& at, T& structure) requires std::is_aggregate_v<T> {
    Decoder inner(j, at, result_);
    status_fields::describe(inner, structure);
  }

  Node object_;
  const At& at_;
  Result<void>& result_;
};

}  // namespace

Result<StatusReport> status_from_json(std::string_view json) {
  const auto tree = TRY(JsonTree::parse(json));
  StatusReport report;
  Result<void> result;
  const At root;
  Decoder decoder(tree.root(), root, result);
  status_fields::describe(decoder, report);
  TRY(std::move(result));
  return report;
}

}  // namespace wigeon
