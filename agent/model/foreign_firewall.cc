// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/foreign_firewall.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "agent/model/limits.hh"
#include "agent/model/problem.hh"
#include "agent/model/shape.hh"

namespace wigeon {
namespace {

constexpr std::string_view kDockerUser = "DOCKER-USER";
constexpr std::string_view kFirewalld = "firewalld";
constexpr std::string_view kOurComment = "wigeon: ";

struct ListedChain {
  std::string family{}, table{}, name{}, hook{}, policy{};
};
struct ListedRule {
  std::string family{}, table{}, chain{}, comment{};
  uint64_t handle = 0;
};
struct Item {
  ListedChain chain{};
  ListedRule rule{};
};
struct Listing {
  std::vector<Item> items{};
};

using json::field;

const json::Shape& shape_of(std::type_identity<ListedChain>) {
  static const json::Shape s = json::open_shape({
      field<&ListedChain::family>("family"),
      field<&ListedChain::table>("table"),
      field<&ListedChain::name>("name"),
      field<&ListedChain::hook>("hook"),
      field<&ListedChain::policy>("policy"),
  });
  return s;
}

const json::Shape& shape_of(std::type_identity<ListedRule>) {
  static const json::Shape s = json::open_shape({
      field<&ListedRule::family>("family"),
      field<&ListedRule::table>("table"),
      field<&ListedRule::chain>("chain"),
      field<&ListedRule::handle>("handle"),
      field<&ListedRule::comment>("comment"),
  });
  return s;
}

const json::Shape& shape_of(std::type_identity<Item>) {
  static const json::Shape s = json::open_shape({
      field<&Item::chain>("chain"),
      field<&Item::rule>("rule"),
  });
  return s;
}

const json::Shape& shape_of(std::type_identity<Listing>) {
  static const json::Shape s =
      json::open_shape({field<&Listing::items>("nftables", kMaxForeignChains)});
  return s;
}

Result<Listing> read_listing(std::string_view text) {
  Listing listing;
  const auto problems =
      json::decode(text, "nft", shape_of(std::type_identity<Listing>{}), &listing);
  if (!problems.empty()) return fail(EBADMSG, problems.list.front().text());
  return listing;
}

std::string text(const ForeignChain& c) {
  return printable(fmt::format("{} {} {}", c.family, c.table, c.name), 255);
}

std::string comment(ChainRule::Passes passes, std::string_view link) {
  switch (passes) {
    case ChainRule::Passes::from_link:
      return fmt::format("{}from {}", kOurComment, link);
    case ChainRule::Passes::replies_to_link:
      return fmt::format("{}replies to {}", kOurComment, link);
    case ChainRule::Passes::all_to_link:
      return fmt::format("{}to {}", kOurComment, link);
  }
  return {};
}

bool is_dockers(const ForeignChain& forward, const ForeignChain& docker_user) {
  return forward.family == docker_user.family && forward.table == docker_user.table;
}

// What is wanted in this chain, and what of ours is there instead.
void settle(const ForeignChain& chain, std::span<const ChainRule::Passes> wanted,
            const std::vector<ForeignRule>& present, std::string_view link,
            ForeignPlan& plan) {
  std::vector<std::string> missing;
  for (const auto p : wanted) missing.push_back(comment(p, link));
  for (const auto& rule : ours(present, link)) {
    if (rule.chain != chain) continue;
    const auto at = std::ranges::find(missing, rule.comment);
    if (at == missing.end())  // not wanted, or there twice
      plan.remove.push_back(rule);
    else
      missing.erase(at);
  }
  for (const auto p : wanted)
    if (std::ranges::find(missing, comment(p, link)) != missing.end())
      plan.add.push_back({.family = chain.family,
                          .table = chain.table,
                          .chain = chain.name,
                          .passes = p,
                          .link = std::string(link),
                          .comment = comment(p, link)});
}

}  // namespace

Result<ForeignChains> read_chains(std::string_view json, std::string_view own) {
  const auto listing = TRY(read_listing(json));
  ForeignChains found;
  for (const auto& item : listing.items) {
    const auto& c = item.chain;
    if (c.family != "ip" && c.family != "ip6" && c.family != "inet") continue;
    if (c.table == kFirewalld) {
      found.firewalld = true;
      continue;
    }
    if (c.family == "inet" && c.table == own) continue;
    if (c.name == kDockerUser && c.family != "inet")
      found.docker_user.push_back({c.family, c.table, c.name});
    if (c.hook != "forward" || c.policy != "drop") continue;
    if (found.dropping.size() < kMaxDroppingChains)
      found.dropping.push_back({c.family, c.table, c.name});
    else
      ++found.more_dropping;
  }
  return found;
}

Result<std::vector<ForeignRule>> read_our_rules(std::string_view json) {
  const auto listing = TRY(read_listing(json));
  std::vector<ForeignRule> found;
  for (const auto& item : listing.items)
    if (const auto& r = item.rule; r.comment.starts_with(kOurComment) && r.handle != 0)
      found.push_back({{r.family, r.table, r.chain}, r.handle, r.comment});
  return found;
}

ForeignPlan foreign_plan(const ForeignChains& chains,
                         const std::vector<ForeignRule>& present, std::string_view link,
                         IntoOverlay into) {
  using Passes = ChainRule::Passes;
  const std::array wanted{Passes::from_link, into == IntoOverlay::others
                                                 ? Passes::all_to_link
                                                 : Passes::replies_to_link};
  ForeignPlan plan;
  for (const auto& docker : chains.docker_user) {
    const auto forward = std::ranges::find_if(
        chains.dropping, [&](const ForeignChain& c) { return is_dockers(c, docker); });
    if (forward == chains.dropping.end()) {  // Docker lets pass what it does not know
      settle(docker, {}, present, link, plan);
      continue;
    }
    settle(docker, wanted, present, link, plan);
    plan.edits.push_back(fmt::format(
        "{} has two rules of ours (\"{}\", \"{}\"), because the policy of {} is "
        "to drop what is forwarded",
        text(docker), comment(wanted[0], link), comment(wanted[1], link),
        text(*forward)));
  }
  for (const auto& c : chains.dropping)
    if (std::ranges::none_of(chains.docker_user, [&](const ForeignChain& docker) {
          return is_dockers(c, docker);
        }))
      plan.notes.push_back(
          fmt::format("{} drops what is forwarded unless a rule there accepts it, and is "
                      "not ours to change: packets of {} may not pass",
                      text(c), link));
  if (chains.more_dropping > 0)
    plan.notes.push_back(
        fmt::format("{} more chains drop what is forwarded", chains.more_dropping));
  return plan;
}

std::vector<ForeignRule> ours(const std::vector<ForeignRule>& present,
                              std::string_view link) {
  using Passes = ChainRule::Passes;
  std::vector<ForeignRule> some;
  std::ranges::copy_if(present, std::back_inserter(some), [&](const ForeignRule& r) {
    return std::ranges::any_of(
        std::array{Passes::from_link, Passes::replies_to_link, Passes::all_to_link},
        [&](Passes p) { return r.comment == comment(p, link); });
  });
  return some;
}

std::string removal(const std::vector<ForeignRule>& rules) {
  std::string commands;
  for (const auto& r : rules)
    commands += fmt::format("delete rule {} {} {} handle {}\n", r.chain.family,
                            r.chain.table, r.chain.name, r.handle);
  return commands;
}

}  // namespace wigeon
