// SPDX-License-Identifier: GPL-2.0-or-later
// One JSON scalar as a value, by protojson's rules: a 64-bit number may be a string, an
// empty string is the absent value of a key or address, bytes are base64 of either
// alphabet.
#pragma once

#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <span>

#include "agent/base/ip.hh"
#include "agent/base/key.hh"
#include "agent/model/json.hh"
#include "agent/model/name.hh"

namespace wigeon::json {

std::unexpected<Error> wrong_kind(std::string_view expected, const Scalar& s);

Result<std::string_view> as_text(const Scalar& s);
// A whole number from 0 to max, as number or decimal string.
Result<uint64_t> as_number(const Scalar& s, uint64_t max);
// Base64, standard or URL-safe, padded or not.
Result<std::string> as_bytes(const Scalar& s);

Result<void> read(bool& out, const Scalar& s);
Result<void> read(std::string& out, const Scalar& s);  // no control characters
Result<void> read(Key& out, const Scalar& s);          // "": all zero
Result<void> read(SecretKey& out, const Scalar& s);    // "": none
Result<void> read(Address& out, const Scalar& s);
Result<void> read(Prefix& out, const Scalar& s);
Result<void> read(DomainName& out, const Scalar& s);  // "": empty

template <std::unsigned_integral T>
requires(!std::same_as<T, bool>) Result<void> read(T& out, const Scalar& s) {
  out = static_cast<T>(TRY(as_number(s, std::numeric_limits<T>::max())));
  return {};
}

// Index of text among names, any case.
std::optional<size_t> find_name(std::span<const std::string_view> names,
                                std::string_view text);

// The enumerator whose value is the index of its name; any case, or the number itself.
template <class E, size_t N>
Result<void> read_enum(E& out, const Scalar& s,
                       const std::array<std::string_view, N>& names) {
  if (s.kind != Scalar::Kind::text) {
    out = static_cast<E>(TRY(as_number(s, N - 1)));
    return {};
  }
  const auto at = find_name(names, s.text);
  if (!at) {
    std::string all;
    for (auto n : names) all += (all.empty() ? "" : ", ") + std::string(n);
    return fail(EINVAL, "not one of " + all);
  }
  out = static_cast<E>(*at);
  return {};
}

}  // namespace wigeon::json
