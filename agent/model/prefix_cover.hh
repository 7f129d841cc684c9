// SPDX-License-Identifier: GPL-2.0-or-later
// Whether an address or network meets any of a fixed set of networks, in O(log n).
// Sorted, not hashed: a map's author chooses the networks, and could choose ones that
// collide.
#pragma once

#include <cstddef>
#include <vector>

#include "agent/base/ip.hh"

namespace wigeon {

class PrefixCover {
 public:
  struct Entry {
    Prefix prefix{};
    size_t tag = 0;  // the caller's
  };
  PrefixCover() = default;
  explicit PrefixCover(std::vector<Entry> entries);

  // The widest network that does so, or null.
  [[nodiscard]] const Entry* containing(const Address& a) const;
  [[nodiscard]] const Entry* containing(const Prefix& p) const;
  // One that contains p or lies in it, or null.
  [[nodiscard]] const Entry* overlapping(const Prefix& p) const;

 private:
  std::vector<Entry> entries_{};  // sorted; none contains another
};

}  // namespace wigeon
