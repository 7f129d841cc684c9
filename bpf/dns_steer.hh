// SPDX-License-Identifier: GPL-2.0-or-later
// The rung "sk_lookup" of sharing port 53: what is sent to our addresses, port 53, gets
// our listeners, wherever they are bound. No packet is touched. A TCP answer comes from
// port 53 by itself; that a UDP answer does is for its sender to see to. When a listener
// is closed by all that hold it, the next lookup goes where it would go without us.
// Queries from elsewhere (other hosts, other namespaces) are steered as well.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "agent/base/ip.hh"
#include "bpf/abi/dns_steer.h"
#include "bpf/about.hh"
#include "bpf/dns_addresses.hh"
#include "bpf/map.hh"
#include "bpf/pins.hh"

namespace wigeon::bpf {

std::string_view text(dns_steer_reason reason);

class DnsSteer {
 public:
  // Sockets, lent: bound, and TCP ones listening. -1: none.
  struct Listeners {
    int udp4 = -1, udp6 = -1, tcp4 = -1, tcp6 = -1;
  };
  // Indexed by reason; all CPUs together.
  using Counts = std::array<uint64_t, DNS_STEER_REASONS>;

  // Attached to the network namespace of the calling process, while this object lives.
  // With pins until remove(): a link that a predecessor left there gets the new program
  // in one step, and its addresses, listeners and counters go on; one that is in another
  // namespace, or whose namespace ended, is replaced. Without sk_lookup (Linux < 5.9) or
  // its capabilities: the error of the load.
  static Result<DnsSteer> open(const PinDirectory* pins);
  // Detaches and unpins what any open() with these pins left. Absent is fine.
  static Result<void> remove(const PinDirectory& pins);

  // All of them anew; at most DNS_ADDRESSES_MOST (E2BIG).
  Result<void> set_addresses(std::span<const Address> own) const;
  // All four anew. EINVAL, and nothing changed: of another family or protocol than its
  // place says, or TCP and not listening.
  Result<void> set_listeners(const Listeners& listeners) const;

  [[nodiscard]] Result<Counts> counters() const;
  // Nobody has taken the link away.
  [[nodiscard]] Result<bool> attached() const;
  [[nodiscard]] int program() const { return program_.get(); }
  [[nodiscard]] Result<About> about() const { return bpf::about(program_.get()); }

 private:
  struct Loaded;
  DnsSteer(Loaded loaded, UniqueFd link);

  UniqueFd program_;
  DnsAddresses addresses_;
  Map<__u32, __u64> listeners_;
  PerCpuMap<__u32, __u64> counts_;
  UniqueFd link_;
};

}  // namespace wigeon::bpf
