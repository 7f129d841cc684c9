// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "dns/upstream.hh"

namespace wigeon::dns {

UsableUpstreams usable_upstreams(std::span<const Endpoint> configured,
                                 std::span<const Address> own_addresses,
                                 std::span<const Endpoint> listeners) {
  UsableUpstreams result;
  for (const auto& e : configured) {
    const bool reached = !e.address.needs_scope() || e.scope != 0;
    const bool good = e.port != 0 && reached && !e.address.is_unspecified() &&
                      !e.address.is_multicast() &&
                      std::ranges::count(own_addresses, e.address) == 0 &&
                      std::ranges::count(listeners, e) == 0;
    auto& list = good ? result.servers : result.dropped;
    if (std::ranges::count(list, e) == 0) list.push_back(e);
  }
  return result;
}

}  // namespace wigeon::dns
