// SPDX-License-Identifier: GPL-2.0-or-later
// Builds the fields of a json::Shape from members:
//   field<&RemotePeer::fqdn>("fqdn"), field<&Map::peers>("remotePeers", kMaxPeers)
// A member type T is an object when shape_of(std::type_identity<T>) exists, a list when
// it is a vector, and else a scalar that read(T&, const Scalar&) takes; read.hh has the
// usual ones.
#pragma once

#include <optional>
#include <type_traits>
#include <vector>

#include "agent/model/json.hh"
#include "agent/model/read.hh"

namespace wigeon::json {

template <class T>
concept Shaped = requires(std::type_identity<T> t) {
  shape_of(t);
};

template <class T>
struct ElementOf : std::false_type {};
template <class T>
struct ElementOf<std::vector<T>> : std::true_type {
  using Type = T;
};

template <auto>
struct Member;
template <class C, class T, T C::*M>
struct Member<M> {
  using Class = C;
  using Type = T;
};

template <class T>
Result<void> read_into(T& out, const Scalar& s) {
  return read(out, s);
}
template <class T>
Result<void> read_into(std::optional<T>& out, const Scalar& s) {
  T value{};
  TRY(read(value, s));
  out = std::move(value);
  return {};
}

template <auto M>
Field field(std::string_view name, size_t max = 0) {
  using C = typename Member<M>::Class;
  using T = typename Member<M>::Type;
  Field f{.name = name, .max = max};
  if constexpr (Shaped<T>) {
    f.kind = Field::Kind::object;
    f.shape = &shape_of(std::type_identity<T>{});
    f.enter = [](void* owner) -> void* { return &(static_cast<C*>(owner)->*M); };
  } else if constexpr (ElementOf<T>::value) {
    using E = typename ElementOf<T>::Type;
    f.element_bytes = sizeof(E);
    f.clear = [](void* owner, const void*) { (static_cast<C*>(owner)->*M).clear(); };
    if constexpr (Shaped<E>) {
      f.kind = Field::Kind::objects;
      f.shape = &shape_of(std::type_identity<E>{});
      f.enter = [](void* owner) -> void* {
        return &(static_cast<C*>(owner)->*M).emplace_back();
      };
      f.drop = [](void* owner) { (static_cast<C*>(owner)->*M).pop_back(); };
    } else {
      f.kind = Field::Kind::scalars;
      f.set = [](void* owner, const void*, const Scalar& s) -> Result<void> {
        E value{};
        TRY(read(value, s));
        if constexpr (std::same_as<E, DomainName>)
          if (value.empty()) return fail(EINVAL, "the name is empty");
        (static_cast<C*>(owner)->*M).push_back(std::move(value));
        return {};
      };
    }
  } else {
    f.set = [](void* owner, const void*, const Scalar& s) {
      return read_into(static_cast<C*>(owner)->*M, s);
    };
  }
  return f;
}

// A scalar with a reader of its own: Result<void>(T&, const Scalar&).
template <auto M, auto reader>
Field field_by(std::string_view name) {
  return {.name = name,
          .set = [](void* owner, const void*, const Scalar& s) -> Result<void> {
            return reader(static_cast<typename Member<M>::Class*>(owner)->*M, s);
          }};
}

// A list of scalars whose elements have a reader of their own: Result<E>(const Scalar&).
template <auto M, auto reader>
Field list_by(std::string_view name, size_t max) {
  using C = typename Member<M>::Class;
  return {
      .name = name,
      .kind = Field::Kind::scalars,
      .max = max,
      .element_bytes = sizeof(typename ElementOf<typename Member<M>::Type>::Type),
      .set = [](void* owner, const void*, const Scalar& s) -> Result<void> {
        (static_cast<C*>(owner)->*M).push_back(TRY(reader(s)));
        return {};
      },
      .clear = [](void* owner, const void*) { (static_cast<C*>(owner)->*M).clear(); }};
}

template <auto M>
Field secret_field(std::string_view name) {
  Field f = field<M>(name);
  f.secret = true;
  return f;
}

}  // namespace wigeon::json
