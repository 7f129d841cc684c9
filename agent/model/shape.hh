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

template <auto>
struct Member;
template <class C, class T, T C::*M>
struct Member<M> {
  using Class = C;
  using Type = T;
};

// What Field's functions do to the member M of C. Here and below C is a parameter of its
// own, and these are no lambdas: GCC 12 gives what it makes of M alone external linkage
// even when C is of an unnamed namespace, and the linker then takes one for two of that
// name in two files.
template <class C, class T, T C::*M>
struct Access {
  static T& of(void* owner) { return static_cast<C*>(owner)->*M; }
  static void* enter(void* owner) { return &of(owner); }
  static void* enter_new(void* owner) { return &of(owner).emplace_back(); }
  static void drop(void* owner) { of(owner).pop_back(); }
  static void clear(void* owner, const void*) { of(owner).clear(); }
  static Result<void> set(void* owner, const void*, const Scalar& s) {
    return read_into(of(owner), s);
  }
  static Result<void> add(void* owner, const void*, const Scalar& s) {
    typename T::value_type value{};
    TRY(read(value, s));
    if constexpr (std::same_as<typename T::value_type, DomainName>)
      if (value.empty()) return fail(EINVAL, "the name is empty");
    of(owner).push_back(std::move(value));
    return {};
  }
  template <auto reader>
  static Result<void> set_by(void* owner, const void*, const Scalar& s) {
    return reader(of(owner), s);
  }
  template <auto reader>
  static Result<void> add_by(void* owner, const void*, const Scalar& s) {
    of(owner).push_back(TRY(reader(s)));
    return {};
  }
};

template <auto M>
using AccessTo = Access<typename Member<M>::Class, typename Member<M>::Type, M>;

template <auto M, class C = typename Member<M>::Class>
Field field(std::string_view name, size_t max = 0) {
  using T = typename Member<M>::Type;
  Field f{.name = name, .max = max};
  if constexpr (Shaped<T>) {
    f.kind = Field::Kind::object;
    f.shape = &shape_of(std::type_identity<T>{});
    f.enter = AccessTo<M>::enter;
  } else if constexpr (ElementOf<T>::value) {
    using E = typename ElementOf<T>::Type;
    f.element_bytes = sizeof(E);
    f.clear = AccessTo<M>::clear;
    if constexpr (Shaped<E>) {
      f.kind = Field::Kind::objects;
      f.shape = &shape_of(std::type_identity<E>{});
      f.enter = AccessTo<M>::enter_new;
      f.drop = AccessTo<M>::drop;
    } else {
      f.kind = Field::Kind::scalars;
      f.set = AccessTo<M>::add;
    }
  } else {
    f.set = AccessTo<M>::set;
  }
  return f;
}

// A scalar with a reader of its own: Result<void>(T&, const Scalar&).
template <auto M, auto reader, class C = typename Member<M>::Class>
Field field_by(std::string_view name) {
  return {.name = name, .set = AccessTo<M>::template set_by<reader>};
}

// A list of scalars whose elements have a reader of their own: Result<E>(const Scalar&).
template <auto M, auto reader, class C = typename Member<M>::Class>
Field list_by(std::string_view name, size_t max) {
  return {.name = name,
          .kind = Field::Kind::scalars,
          .max = max,
          .element_bytes = sizeof(typename ElementOf<typename Member<M>::Type>::Type),
          .set = AccessTo<M>::template add_by<reader>,
          .clear = AccessTo<M>::clear};
}

template <auto M, class C = typename Member<M>::Class>
Field secret_field(std::string_view name) {
  Field f = field<M>(name);
  f.secret = true;
  return f;
}

// For what another program prints: what it adds later must not make it unreadable.
inline Shape open_shape(std::vector<Field> fields) {
  return {.unknown = Shape::Unknown::ignored,
          .nulls = Shape::Nulls::absent,
          .fields = std::move(fields)};
}

}  // namespace wigeon::json
