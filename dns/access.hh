// SPDX-License-Identifier: GPL-2.0-or-later
// Who may ask: nobody whom we were not told about gets a reply of any kind.
#pragma once

#include <algorithm>
#include <vector>

#include "agent/base/ip.hh"
#include "dns/answer.hh"

namespace wigeon::dns {

inline constexpr uint32_t kLoopback = 1;  // its index in every network namespace

struct Access {
  std::vector<Address> own{};
  std::vector<Prefix> allow{};
  // Queries may come in by these and by loopback; empty: by any. The kernel names the
  // interface that has the address when the host asks itself.
  std::vector<uint32_t> interfaces{};
};

// Nothing for those who get no reply. interface: the index of the one the query came in
// by, 0 when that is not known.
inline std::optional<Asker> who_asks(const Access& access, const Endpoint& source,
                                     uint32_t interface) {
  const Address& a = source.address;
  if (source.port == 0 || a.is_multicast() || a.is_unspecified() ||
      a == Address::v4(0xffffffff))
    return std::nullopt;
  if (!access.interfaces.empty() && interface != kLoopback &&
      std::ranges::count(access.interfaces, interface) == 0)
    return std::nullopt;
  if (a.is_loopback() || std::ranges::count(access.own, a) > 0) return Asker::host;
  if (std::ranges::any_of(access.allow, [&](const Prefix& p) { return p.contains(a); }))
    return Asker::peer;
  return std::nullopt;
}

}  // namespace wigeon::dns
