// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/alias.hh"

#include <fmt/format.h>

#include <sys/random.h>

#include <cstdint>

namespace wigeon {
namespace {

constexpr std::string_view kPrefix = "wigeon:";
constexpr size_t kDigits = 16;

}  // namespace

std::string fresh_alias() {
  uint64_t id = 0;
  // Eight bytes cannot be short; zero would do too.
  (void)!::getrandom(&id, sizeof id, 0);
  return fmt::format("{}{:0{}x}", kPrefix, id, kDigits);
}

bool is_our_alias(std::string_view alias) {
  return alias.size() == kPrefix.size() + kDigits && alias.starts_with(kPrefix) &&
         alias.find_first_not_of("0123456789abcdef", kPrefix.size()) == alias.npos;
}

}  // namespace wigeon
