// SPDX-License-Identifier: GPL-2.0-or-later
// When endpoints' host names are to be resolved: all of them once, and again while a peer
// of theirs has no session, first after 5 s, then after twice as long each time. Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "agent/base/ip.hh"

namespace wigeon {

inline constexpr std::chrono::seconds kNameFirstWait{5};
inline constexpr std::chrono::seconds kNameLastWait{300};

struct NameAsked {
  std::chrono::system_clock::time_point at{};
  std::chrono::seconds wait = kNameFirstWait;  // until it may be asked again
};
using NamesAsked = std::map<HostPort, NameAsked>;

// The names that a map has; true: some peer of that name has no session.
using NamesWanted = std::map<HostPort, bool>;

struct NamesDue {
  std::vector<HostPort> names{};                    // to be asked now
  NamesAsked asked{};                               // once they are asked
  std::optional<std::chrono::milliseconds> look{};  // when the next one will be due
};

NamesDue names_due(const NamesAsked& was, const NamesWanted& wanted,
                   std::chrono::system_clock::time_point now);

}  // namespace wigeon
