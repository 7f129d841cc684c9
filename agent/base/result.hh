// SPDX-License-Identifier: GPL-2.0-or-later
// Failures are values: an errno and a sentence that grows outward, one clause a layer.
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace wigeon {

struct Error {
  int code = 0;  // errno; 0 when no errno fits
  std::string what{};
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(int code, std::string what) {
  return std::unexpected(Error{code, std::move(what)});
}

// "doing: EPERM-text"; the errno must be read before anything else can change it.
inline std::unexpected<Error> fail_errno(std::string_view doing, int code = errno) {
  return std::unexpected(Error{code, std::string(doing) + ": " + ::strerror(code)});
}

inline std::unexpected<Error> within(std::string_view doing, Error e) {
  e.what.insert(0, std::string(doing) + ": ");
  return std::unexpected(std::move(e));
}

}  // namespace wigeon

// Value of a Result, or return its error from the enclosing function.
#define TRY(...)                                       \
  __extension__({                                      \
    auto&& try_ = (__VA_ARGS__);                       \
    if (!try_) [[unlikely]]                            \
      return std::unexpected(std::move(try_).error()); \
    *std::move(try_);                                  \
  })
