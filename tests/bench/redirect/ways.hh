// SPDX-License-Identifier: GPL-2.0-or-later
// What may be attached to the loopback of this namespace, one at a time.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/ip.hh"
#include "bpf/dns_steer.hh"

namespace wigeon::bench {

struct Port53 {
  Address own{};                         // where clients ask
  uint16_t port = 0;                     // where the resolver is, on own
  bpf::DnsSteer::Listeners listeners{};  // and on 127.0.0.1
};

struct Way {
  const char* name;
  bool leads;  // queries for own:53 come to the resolver
  // Attached until what it returns is destroyed.
  Result<std::shared_ptr<void>> (*attach)(const Port53& p);
};
const std::vector<Way>& ways();

}  // namespace wigeon::bench
