// SPDX-License-Identifier: GPL-2.0-or-later
// Who may ask: nobody whom we were not told about gets a reply of any kind.
#pragma once

#include <algorithm>
#include <vector>

#include "agent/base/ip.hh"

namespace wigeon::dns {

struct Access {
  std::vector<Address> own{};
  std::vector<Prefix> allow{};
};

inline bool may_ask(const Access& access, const Endpoint& source) {
  if (source.port == 0 || source.address.is_multicast()) return false;
  return source.address.is_loopback() ||
         std::ranges::count(access.own, source.address) > 0 ||
         std::ranges::any_of(access.allow,
                             [&](const Prefix& p) { return p.contains(source.address); });
}

}  // namespace wigeon::dns
