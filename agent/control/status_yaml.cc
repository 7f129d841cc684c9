// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/json.hh"
#include "agent/control/status_fields.hh"
#include "agent/control/time_text.hh"
#include "agent/control/yaml.hh"

namespace wigeon {
namespace {

class Tree {
 public:
  void operator()(const char* key, const auto& field) { out_[key] = value(field); }
  void unless_empty(const char* key, const auto& field) {
    if (!status_fields::empty(field)) out_[key] = value(field);
  }
  void or_null(const char* key, const auto& list) { out_[key] = value(list); }
  Json take() { return std::move(out_); }

 private:
  static Json value(bool b) { return b; }
  static Json value(std::unsigned_integral auto n) { return n; }
  static Json value(const std::string& s) { return s; }
  static Json value(WallTime t) { return rfc3339(t); }
  static Json value(std::chrono::nanoseconds d) { return go_duration(d); }
  static Json value(const Key& k) { return k.is_zero() ? "" : k.text(); }
  template <class T>
  static Json value(const std::optional<T>& address) {
    return address ? address->text() : "";
  }
  template <class E>
  static Json value(E e) requires std::is_enum_v<E> {
    return std::string(text(e));
  }
  template <class T>
  static Json value(const std::vector<T>& list) {
    Json j = Json::array();
    for (const auto& item : list) j.push_back(value(item));
    return j;
  }
  template <class T>
  static Json value(const std::map<std::string, T>& map) {
    Json j = Json::object();
    for (const auto& [key, item] : map) j[key] = value(item);
    return j;
  }
  template <class T>
  static Json value(const T& structure) requires std::is_aggregate_v<T> {
    Tree inner;
    status_fields::describe(inner, structure);
    return inner.take();
  }

  Json out_ = Json::object();
};

}  // namespace

std::string to_yaml(const StatusReport& report) {
  Tree tree;
  status_fields::describe(tree, report);
  return yaml(tree.take());
}

}  // namespace wigeon
