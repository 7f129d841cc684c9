// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/foreign_rules.hh"

#include <utility>

#include "netlink/nft_rule.hh"

namespace wigeon {
namespace {

struct Found {
  ForeignChains chains{};
  std::vector<ForeignRule> present{};
};

Result<Found> find(netlink::Nftables& nft) {
  Found f;
  const auto all = TRY(nft.list_chains());
  f.chains = TRY(read_chains(all));
  for (const auto& c : f.chains.docker_user) {
    const auto json = TRY(nft.list_chain(c.family, c.table, c.name));
    auto rules = TRY(read_our_rules(json));
    f.present.insert(f.present.end(), rules.begin(), rules.end());
  }
  return f;
}

}  // namespace

Result<void> ForeignRules::want(bool on, const std::string& link, IntoOverlay into) {
  const JournalEntry entry{kJournalKind, link};
  TRY(leave_others(link));
  const bool held = journal_.entries().contains(entry);
  if (!stale_ && on == on_ && into == into_ && link == link_) return {};
  if (!on && !held) {
    edits_.clear();
    notes_.clear();
  } else if (on) {
    auto nft = TRY(netlink::Nftables::open());
    const auto found = TRY(find(nft));
    auto plan = foreign_plan(found.chains, found.present, link, into);
    if (!plan.add.empty()) TRY(journal_.write({{true, entry}}));
    if (const auto commands = removal(plan.remove); !commands.empty())
      TRY(nft.apply(commands));
    if (!plan.add.empty()) TRY(netlink::insert_rules(plan.add));
    edits_ = std::move(plan.edits);
    notes_ = std::move(plan.notes);
  } else {
    TRY(undo(link));
    TRY(journal_.write({{false, entry}}));
    edits_.clear();
    notes_.clear();
  }
  stale_ = false;
  on_ = on;
  into_ = into;
  link_ = link;
  return {};
}

// Of a link that had another name before the last start.
Result<void> ForeignRules::leave_others(const std::string& link) {
  std::vector<JournalEntry> others;
  for (const auto& e : journal_.entries())
    if (e.kind == kJournalKind && e.detail != link) others.push_back(e);
  for (const auto& e : others) {
    TRY(undo(e.detail));
    TRY(journal_.write({{false, e}}));
  }
  return {};
}

Result<void> ForeignRules::undo(const std::string& link) {
  auto nft = TRY(netlink::Nftables::open());
  const auto found = TRY(find(nft));
  const auto commands = removal(ours(found.present, link));
  return commands.empty() ? Result<void>{} : nft.apply(commands);
}

}  // namespace wigeon
