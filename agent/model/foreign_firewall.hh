// SPDX-License-Identifier: GPL-2.0-or-later
// What other people's nftables rules do to packets that our link brings or takes for
// others, and what we do about it: Docker's DOCKER-USER chain, which is there for that,
// gets rules of ours; of firewalld only its presence is told (it is asked over D-Bus);
// nothing else is touched. A verdict of drop in one chain is final whatever other tables
// say, so rules in our own table cannot help.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/chain_rule.hh"
#include "agent/base/marks.hh"
#include "agent/base/result.hh"

namespace wigeon {

inline constexpr size_t kMaxForeignChains = 200'000;  // of one listing, rules included
inline constexpr size_t kMaxDroppingChains = 100;     // told; the rest is counted

struct ForeignChain {
  std::string family{}, table{}, name{};
  friend bool operator==(const ForeignChain&, const ForeignChain&) = default;
};

struct ForeignChains {
  // Base chains at hook forward whose policy is drop; firewalld's and ours are left out.
  std::vector<ForeignChain> dropping{};
  size_t more_dropping = 0;
  std::vector<ForeignChain> docker_user{};  // ip and ip6
  bool firewalld = false;
  friend bool operator==(const ForeignChains&, const ForeignChains&) = default;
};

// A rule with a comment of ours ("wigeon: …") in somebody else's chain.
struct ForeignRule {
  ForeignChain chain{};
  uint64_t handle = 0;
  std::string comment{};
  friend bool operator==(const ForeignRule&, const ForeignRule&) = default;
};

// json: what nft lists of all chains (Nftables::list_chains()), own: our own table.
Result<ForeignChains> read_chains(std::string_view json,
                                  std::string_view own = kNftTable);
// json: what nft lists of one chain with its rules (Nftables::list_chain()).
Result<std::vector<ForeignRule>> read_our_rules(std::string_view json);

// Who may open connections into the overlay through this host.
enum class IntoOverlay : uint8_t { nobody, others };

struct ForeignPlan {
  std::vector<ChainRule> add{};       // for netlink::insert_rules()
  std::vector<ForeignRule> remove{};  // for removal()
  std::vector<std::string> edits{};   // for status: what of ours is in others' tables
  std::vector<std::string> notes{};   // for status: what will not work, and why
};

// present: the rules of ours in all of chains.docker_user. Nothing to add or remove when
// they are as they should be.
ForeignPlan foreign_plan(const ForeignChains& chains,
                         const std::vector<ForeignRule>& present, std::string_view link,
                         IntoOverlay into);

// Those of present that are for this link: what `down` takes back.
std::vector<ForeignRule> ours(const std::vector<ForeignRule>& present,
                              std::string_view link);

// Commands for Nftables::apply(); empty for no rules.
std::string removal(const std::vector<ForeignRule>& rules);

}  // namespace wigeon
