// SPDX-License-Identifier: GPL-2.0-or-later
// JSON text straight into structs, driven by a description of them (Shape); there is no
// tree of values in between, so a hostile document costs what its decoded form costs.
// The rules: kMaxDepth, kMaxStringBytes and the other limits of limits.hh, valid UTF-8,
// no key twice in an object (known or not), nothing behind the document. All problems are
// collected; the value that has one stays as it was. Shapes are built with shape.hh.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hh"
#include "agent/model/problem.hh"

namespace wigeon::json {

struct Scalar {
  enum class Kind { null, boolean, integer, real, text };
  Kind kind = Kind::null;
  bool boolean = false;
  bool negative = false;  // integer: sign of magnitude
  uint64_t magnitude = 0;
  double real = 0;  // a number with fraction or exponent, or beyond 64 bits
  std::string_view text{};

  [[nodiscard]] std::string shown() const;
};

// "a string", "a number" …, for reasons.
std::string_view name(Scalar::Kind kind);

struct Shape;

// One key of an object. The functions get the struct that the object decodes into.
struct Field {
  enum class Kind { scalar, object, scalars, objects };
  std::string_view name{};
  Kind kind = Kind::scalar;
  bool secret = false;       // its value is never shown
  size_t max = 0;            // elements of a list
  size_t element_bytes = 0;  // what one element takes, for the limit on decoded bytes
  const void* context = nullptr;
  // scalar, and each element of scalars.
  Result<void> (*set)(void* owner, const void* context, const Scalar& s) = nullptr;
  void (*clear)(void* owner, const void* context) = nullptr;  // a list begins
  // object: the struct of the member; objects: a new last element.
  void* (*enter)(void* owner) = nullptr;
  void (*drop)(void* owner) = nullptr;  // objects: forgets the last element
  const Shape* shape = nullptr;         // of object, objects
};

struct Shape {
  enum class Names {
    exact,
    folded,  // case and '_' do not count: address_v6 is addressV6
  };
  enum class Unknown { refused, ignored };
  enum class Nulls { refused, absent };
  Names names = Names::exact;
  Unknown unknown = Unknown::refused;
  Nulls nulls = Nulls::refused;
  std::vector<Field> fields{};
  // Judges the whole object once its members are in, when none of them had a problem.
  Result<void> (*finish)(void* object) = nullptr;
};

// Decodes into root, which must be what shape describes. file is for the problems only.
Problems decode(std::string_view bytes, std::string_view file, const Shape& shape,
                void* root);

// A JSON string literal with its quotes. text is valid UTF-8.
std::string quote(std::string_view text);

}  // namespace wigeon::json
