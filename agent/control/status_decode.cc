// SPDX-License-Identifier: GPL-2.0-or-later
#include <initializer_list>

#include "agent/control/json.hh"
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

// Fills fields from one JSON object. The first thing that does not fit is kept, with the
// way to it; later ones are skipped.
class Decoder {
 public:
  Decoder(const Json& object, std::string at, Result<void>& result)
      : object_(object), at_(std::move(at)), result_(result) {
    if (!object.is_object()) wrong(at_, "must be an object");
  }

  void operator()(const char* key, auto& field) {
    if (!result_ || !object_.is_object()) return;
    const auto found = object_.find(key);
    if (found != object_.end() && !found->is_null())
      value(*found, at_ + "/" + key, field);
  }
  void unless_empty(const char* key, auto& field) { (*this)(key, field); }
  void or_null(const char* key, auto& field) { (*this)(key, field); }

 private:
  void wrong(const std::string& at, std::string why) {
    if (result_) result_ = fail(EINVAL, (at.empty() ? "/" : at) + ": " + std::move(why));
  }

  void value(const Json& j, const std::string& at, bool& b) {
    if (!j.is_boolean()) return wrong(at, "must be true or false");
    b = j.get<bool>();
  }
  void value(const Json& j, const std::string& at, std::unsigned_integral auto& n) {
    using N = std::decay_t<decltype(n)>;
    if (!j.is_number_unsigned() || j.get<uint64_t>() > std::numeric_limits<N>::max())
      return wrong(at, "must be a number from 0 to " +
                           std::to_string(std::numeric_limits<N>::max()));
    n = static_cast<N>(j.get<uint64_t>());
  }
  void value(const Json& j, const std::string& at, std::string& s) {
    if (!j.is_string()) return wrong(at, "must be a string");
    s = j.get<std::string>();
  }
  // The string, or nothing after an error.
  const std::string* string(const Json& j, const std::string& at) {
    if (!j.is_string()) wrong(at, "must be a string");
    return j.get_ptr<const std::string*>();
  }
  void parsed(const std::string& at, auto result, auto& field) {
    if (!result) return wrong(at, std::move(result).error().what);
    field = *std::move(result);
  }
  void value(const Json& j, const std::string& at, WallTime& t) {
    if (const auto* s = string(j, at)) parsed(at, parse_rfc3339(*s), t);
  }
  void value(const Json& j, const std::string& at, std::chrono::nanoseconds& d) {
    if (!j.is_number_integer() ||
        (j.is_number_unsigned() &&
         j.get<uint64_t>() > std::numeric_limits<int64_t>::max()))
      return wrong(at, "must be nanoseconds");
    d = std::chrono::nanoseconds(j.get<int64_t>());
  }
  void value(const Json& j, const std::string& at, Key& k) {
    const auto* s = string(j, at);
    if (s && !s->empty()) parsed(at, Key::parse(*s), k);
  }
  template <class T>
  void value(const Json& j, const std::string& at, std::optional<T>& address) {
    const auto* s = string(j, at);
    if (s && !s->empty()) parsed(at, T::parse(*s), address);
  }
  template <class E>
  void value(const Json& j, const std::string& at, E& e) requires std::is_enum_v<E> {
    const auto* s = string(j, at);
    if (!s) return;
    for (const E candidate : kAll<E>) {
      if (text(candidate) == *s) {
        e = candidate;
        return;
      }
    }
    wrong(at, "unknown value " + *s);
  }
  template <class T>
  void value(const Json& j, const std::string& at, std::vector<T>& list) {
    if (!j.is_array()) return wrong(at, "must be a list");
    list.clear();
    for (size_t i = 0; i < j.size() && result_; ++i)
      value(j[i], at + "/" + std::to_string(i), list.emplace_back());
  }
  template <class T>
  void value(const Json& j, const std::string& at, std::map<std::string, T>& map) {
    if (!j.is_object()) return wrong(at, "must be an object");
    for (auto it = j.begin(); it != j.end(); ++it)
      value(it.value(), at + "/" + it.key(), map[it.key()]);
  }
  template <class T>
  void value(const Json& j, const std::string& at,
             T& structure) requires std::is_aggregate_v<T> {
    Decoder inner(j, at, result_);
    status_fields::describe(inner, structure);
  }

  const Json& object_;
  std::string at_;
  Result<void>& result_;
};

}  // namespace

Result<StatusReport> status_from_json(std::string_view json) {
  const Json j = TRY(parse_json(json));
  StatusReport report;
  Result<void> result;
  Decoder decoder(j, "", result);
  status_fields::describe(decoder, report);
  TRY(std::move(result));
  return report;
}

}  // namespace wigeon
