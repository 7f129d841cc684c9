// SPDX-License-Identifier: GPL-2.0-or-later
// A result that a test cannot do without; its error is the failure's message.
#pragma once

#include <catch2/catch.hpp>

#include "agent/base/result.hh"

namespace wigeon::test {

template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().what);
  return std::move(*result);
}
inline void must(Result<void> result) {
  if (!result) FAIL(result.error().what);
}

}  // namespace wigeon::test
