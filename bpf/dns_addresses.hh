// SPDX-License-Identifier: GPL-2.0-or-later
// The map of our own addresses that the DNS programs look into.
#pragma once

#include <span>

#include "agent/base/ip.hh"
#include "bpf/abi/dns_address.h"
#include "bpf/map.hh"

namespace wigeon::bpf {

dns_address key_of(const Address& address);

class DnsAddresses {
 public:
  explicit DnsAddresses(UniqueFd map) : map_(std::move(map)) {}
  // Exactly these, at most DNS_ADDRESSES_MOST (E2BIG). New ones first, so that one that
  // stays is never missing.
  Result<void> set(std::span<const Address> addresses) const;

 private:
  Map<dns_address, __u32> map_;
};

}  // namespace wigeon::bpf
