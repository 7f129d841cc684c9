// SPDX-License-Identifier: GPL-2.0-or-later
// That the kernel and iptables take them is tests/netns/nft_foreign_test.cc.
#include "netlink/nft_rule.hh"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

ChainRule rule(ChainRule::Passes passes) {
  return {.table = "filter",
          .chain = "DOCKER-USER",
          .passes = passes,
          .link = "wt0",
          .comment = "wigeon: x"};
}

// The names of its expressions, in order.
std::string expressions(const ChainRule& r) {
  const auto m = encode_rule(r);
  REQUIRE(m);
  std::string names;
  const auto element = [&](const Attr& e) {
    return for_each_attr(e.payload, [&](const Attr& a) {
      std::string name;
      if (a.type == NFTA_EXPR_NAME && a.read(name)) names += name + " ";
      return true;
    });
  };
  REQUIRE(for_each_message(bytes(m->get()), [&](const Message& message) {
    nfgenmsg h;
    Bytes attrs;
    return message.split(h, attrs) && for_each_attr(attrs, [&](const Attr& a) {
             return a.type != NFTA_RULE_EXPRESSIONS || for_each_attr(a.payload, element);
           });
  }));
  return names;
}

}  // namespace

TEST_CASE("rules are made of what iptables itself writes") {
  CHECK(expressions(rule(ChainRule::Passes::from_link)) == "meta cmp counter immediate ");
  CHECK(expressions(rule(ChainRule::Passes::replies_to_link)) ==
        "meta cmp match counter immediate ");
  CHECK(expressions(rule(ChainRule::Passes::all_to_link)) ==
        "meta cmp counter immediate ");
}

TEST_CASE("a rule that cannot be written is refused before anything is sent") {
  const auto refused = [](auto change) {
    auto r = rule(ChainRule::Passes::from_link);
    change(r);
    return !encode_rule(r) && !insert_rules(std::array{r});
  };
  CHECK(refused([](ChainRule& r) { r.family = "inet"; }));
  CHECK(refused([](ChainRule& r) { r.link.clear(); }));
  CHECK(refused([](ChainRule& r) { r.link = "sixteen-letters-"; }));
  CHECK(refused([](ChainRule& r) { r.comment.clear(); }));
  CHECK(refused([](ChainRule& r) { r.comment.assign(128, 'x'); }));
  CHECK(refused([](ChainRule& r) { r.table.assign(300, 'x'); }));
}
