// SPDX-License-Identifier: GPL-2.0-or-later
// Puts rules into chains of iptables-nft. They are made of what iptables itself writes:
// one rule with nft's own "ct state" in it, and iptables 1.8.9 refuses to list or save
// the whole table ("incompatible, use 'nft' tool"), which ends Docker's work on it.
#pragma once

#include <span>

#include "agent/base/chain_rule.hh"
#include "netlink/message.hh"

namespace wigeon::netlink {

inline constexpr size_t kMaxRuleComment = 127;

// The request for one rule at the top of its chain.
Result<Msg> encode_rule(const ChainRule& rule);

// All of them at the top of their chains, in this order, or none. ENOENT: a chain is not
// there.
Result<void> insert_rules(std::span<const ChainRule> rules);

}  // namespace wigeon::netlink
