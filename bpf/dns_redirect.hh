// SPDX-License-Identifier: GPL-2.0-or-later
// The rungs "tc" and "xdp" of sharing port 53: at the ingress of lo, port 53 of our
// addresses is another port of them. bpf/abi/dns_redirect.h has the rules.
//
// The two hooks share nothing, so that one can be attached beside the other and take
// over: open the new one, drain the old one, wait as long as an answer may take, remove
// it. Both at once rewrite nothing twice: a query reaches the second one at the real
// port, its answer comes there from port 53.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "agent/base/ip.hh"
#include "bpf/abi/dns_redirect.h"
#include "bpf/about.hh"
#include "bpf/attach.hh"
#include "bpf/dns_addresses.hh"
#include "bpf/map.hh"
#include "bpf/pins.hh"

namespace wigeon::bpf {

std::string_view text(dns_redirect_reason reason);

class PortRedirect {
 public:
  struct Settings {
    std::span<const Address> own{};  // at most DNS_ADDRESSES_MOST
    uint16_t port = 0;               // the real one; host order
    bool draining = false;
  };
  // Packets, indexed by reason; all CPUs together.
  using Counts = std::array<uint64_t, DNS_REDIRECT_REASONS>;

  // On xdp or tc_ingress of a device with Ethernet headers, as bpf::place() says. Leaves
  // everything alone until the first set(), or goes on with what a predecessor had set.
  // Attached while this object lives (a clsact filter: until remove() or detach()); with
  // pins until remove(), and then settings, flows and counters that a predecessor left go
  // on under the new program, which takes the old one's place in one step. EBUSY: another
  // XDP program is there; the message names it.
  static Result<PortRedirect> open(const Place& place, const PinDirectory* pins);
  // Detaches and unpins what any open() left on this hook. Absent is fine. Without pins
  // that can only be a clsact filter.
  static Result<void> remove(IfIndex device, Hook hook, const PinDirectory* pins);

  // In force for the next packet. EINVAL: port 0 or 53. E2BIG: too many addresses.
  // Answers from a former port are no longer rewritten: drain before.
  Result<void> set(const Settings& settings) const;

  [[nodiscard]] Result<Counts> counters() const;
  [[nodiscard]] const Place& place() const { return attachment_.place(); }
  [[nodiscard]] int program() const { return program_.get(); }
  [[nodiscard]] Result<About> about() const { return bpf::about(program_.get()); }
  // Now; pins are left for remove().
  Result<void> detach() && { return std::move(attachment_).detach(); }

 private:
  struct Loaded;
  PortRedirect(Loaded loaded, Attachment attachment);

  UniqueFd program_;
  DnsAddresses addresses_;
  Map<__u32, dns_settings> settings_;
  PerCpuMap<__u32, __u64> counts_;
  Attachment attachment_;
};

}  // namespace wigeon::bpf
