// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/read.hh"

#include <algorithm>
#include <cmath>

#include "agent/model/limits.hh"

namespace wigeon::json {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Largest double below which every whole number is exact.
constexpr double kExact = 9007199254740992.0;

}  // namespace

std::unexpected<Error> wrong_kind(std::string_view expected, const Scalar& s) {
  return fail(EINVAL,
              "expected " + std::string(expected) + ", not " + std::string(name(s.kind)));
}

Result<std::string_view> as_text(const Scalar& s) {
  if (s.kind != Scalar::Kind::text) return wrong_kind("a string", s);
  return s.text;
}

Result<uint64_t> as_number(const Scalar& s, uint64_t max) {
  switch (s.kind) {
    case Scalar::Kind::integer:
      if ((s.negative && s.magnitude != 0) || s.magnitude > max) break;
      return s.magnitude;
    case Scalar::Kind::real: {
      if (s.real != std::trunc(s.real)) return fail(EINVAL, "expected a whole number");
      if (s.real < 0 || s.real >= kExact || static_cast<uint64_t>(s.real) > max) break;
      return static_cast<uint64_t>(s.real);
    }
    case Scalar::Kind::text:
      return parse_number(s.text, max);
    case Scalar::Kind::null:
    case Scalar::Kind::boolean:
      return wrong_kind("a number", s);
  }
  return fail(ERANGE, "must be 0-" + std::to_string(max));
}

Result<std::string> as_bytes(const Scalar& s) {
  std::string standard(TRY(as_text(s)));
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  if (standard.size() % 4 != 0 && !standard.ends_with('='))
    standard.append(4 - standard.size() % 4, '=');
  auto bytes = base64_decode(standard, kMaxStringBytes);
  if (!bytes) return fail(EINVAL, "not base64");
  return bytes;
}

Result<void> read(bool& out, const Scalar& s) {
  if (s.kind != Scalar::Kind::boolean) return wrong_kind("true or false", s);
  out = s.boolean;
  return {};
}

Result<void> read(std::string& out, const Scalar& s) {
  const auto text = TRY(as_text(s));
  if (std::ranges::any_of(text, control)) return fail(EINVAL, "has a control character");
  out = text;
  return {};
}

Result<void> read(Key& out, const Scalar& s) {
  const auto text = TRY(as_text(s));
  out = text.empty() ? Key{} : TRY(Key::parse(text));
  return {};
}

Result<void> read(SecretKey& out, const Scalar& s) {
  const auto text = TRY(as_text(s));
  out = text.empty() ? SecretKey{} : TRY(SecretKey::parse(text));
  return {};
}

Result<void> read(Address& out, const Scalar& s) {
  const auto text = TRY(as_text(s));
  out = TRY(Address::parse(text));
  return {};
}

Result<void> read(Prefix& out, const Scalar& s) {
  const auto text = TRY(as_text(s));
  out = TRY(Prefix::parse(text));
  return {};
}

Result<void> read(DomainName& out, const Scalar& s) {
  const auto text = TRY(as_text(s));
  out = text.empty() ? DomainName{} : TRY(DomainName::parse(text));
  return {};
}

std::optional<size_t> find_name(std::span<const std::string_view> names,
                                std::string_view text) {
  for (size_t i = 0; i < names.size(); ++i)
    if (std::ranges::equal(names[i], text, {}, lower, lower)) return i;
  return std::nullopt;
}

}  // namespace wigeon::json
