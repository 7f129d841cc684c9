// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/dns_addresses.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace wigeon::bpf {

dns_address key_of(const Address& address) {
  dns_address key{};
  key.version = address.is_v4() ? 4 : 6;
  std::memcpy(key.words, address.bytes().data(), address.bytes().size());
  return key;
}

Result<void> DnsAddresses::set(std::span<const Address> addresses) const {
  if (addresses.size() > DNS_ADDRESSES_MOST)
    return fail(E2BIG, fmt::format("{} own addresses; at most {} get DNS",
                                   addresses.size(), DNS_ADDRESSES_MOST));
  for (const Address& a : addresses) TRY(map_.update(key_of(a), 1));
  for (const dns_address& old : TRY(map_.keys(DNS_ADDRESSES_ROOM)))
    if (std::ranges::none_of(addresses, [&old](const Address& a) {
          const dns_address kept = key_of(a);
          return std::memcmp(&kept, &old, sizeof(old)) == 0;
        }))
      TRY(map_.remove(old));
  return {};
}

}  // namespace wigeon::bpf
