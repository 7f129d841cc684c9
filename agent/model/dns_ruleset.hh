// SPDX-License-Identifier: GPL-2.0-or-later
// The nftables table that leads queries for port 53 of our addresses to the port of our
// resolver: dnat where this host sends (output) and where others' packets arrive
// (prerouting), which changes only the port.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/result.hh"

namespace wigeon {

struct DnsRuleset {
  std::string name{};
  std::vector<Endpoint> resolver{};  // our addresses, and its port there
  // No rules, but the chains: what was led before keeps its translation, which ends with
  // the last chain of type nat.
  bool draining = false;
};

// One transaction that makes the table, or takes the place of the one that is there.
std::string ruleset(const DnsRuleset& table);

// Counters by name, packets, from libnftables' JSON (`list counters`). EBADMSG.
Result<std::map<std::string, uint64_t>> read_nft_counters(std::string_view json);

}  // namespace wigeon
