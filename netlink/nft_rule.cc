// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/nft_rule.hh"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_conntrack.h>

#include <array>
#include <ranges>
#include <vector>

#include "netlink/nfnetlink.hh"

namespace wigeon::netlink {
namespace {

constexpr size_t kRuleMessage = 2048;
constexpr uint32_t kConntrackRevision = 3;
constexpr uint8_t kUserdataComment = 0;  // libnftnl's and iptables' type of a comment

bool put_be32(nl_msg* m, int type, uint32_t value) { return put(m, type, htonl(value)); }

// One element of NFTA_RULE_EXPRESSIONS; fill() writes its data.
bool put_expression(nl_msg* m, const char* name, auto fill) {
  const Nest element(m, NFTA_LIST_ELEM);
  if (!element || !put_text(m, NFTA_EXPR_NAME, name, NFT_NAME_MAXLEN)) return false;
  const Nest data(m, NFTA_EXPR_DATA);
  return data && fill();
}

bool put_link(nl_msg* m, uint32_t key, const std::string& link) {
  std::array<uint8_t, IFNAMSIZ> name{};
  std::ranges::copy(link, name.begin());
  return put_expression(m, "meta",
                        [&] {
                          return put_be32(m, NFTA_META_KEY, key) &&
                                 put_be32(m, NFTA_META_DREG, NFT_REG_1);
                        }) &&
         put_expression(m, "cmp", [&] {
           if (!put_be32(m, NFTA_CMP_SREG, NFT_REG_1) ||
               !put_be32(m, NFTA_CMP_OP, NFT_CMP_EQ))
             return false;
           const Nest data(m, NFTA_CMP_DATA);
           return data && put(m, NFTA_DATA_VALUE, Bytes(name));
         });
}

bool put_established(nl_msg* m) {
  return put_expression(m, "match", [&] {
    xt_conntrack_mtinfo3 info{};
    info.match_flags = XT_CONNTRACK_STATE;
    info.state_mask =
        XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) | XT_CONNTRACK_STATE_BIT(IP_CT_RELATED);
    // In the size of xtables, which is aligned to eight bytes.
    std::array<uint8_t, XT_ALIGN(sizeof info)> padded{};
    std::memcpy(padded.data(), &info, sizeof info);
    return put_text(m, NFTA_MATCH_NAME, "conntrack", NFT_NAME_MAXLEN) &&
           put_be32(m, NFTA_MATCH_REV, kConntrackRevision) &&
           put(m, NFTA_MATCH_INFO, Bytes(padded));
  });
}

bool put_accept(nl_msg* m) {
  return put_expression(m, "counter", [] { return true; }) &&
         put_expression(m, "immediate", [&] {
           if (!put_be32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT)) return false;
           const Nest data(m, NFTA_IMMEDIATE_DATA);
           if (!data) return false;
           const Nest verdict(m, NFTA_DATA_VERDICT);
           return verdict && put_be32(m, NFTA_VERDICT_CODE, NF_ACCEPT);
         });
}

bool put_comment(nl_msg* m, const std::string& comment) {
  std::vector<uint8_t> userdata{kUserdataComment,
                                static_cast<uint8_t>(comment.size() + 1)};
  userdata.insert(userdata.end(), comment.begin(), comment.end());
  userdata.push_back(0);
  return put(m, NFTA_RULE_USERDATA, Bytes(userdata));
}

bool put_rule(nl_msg* m, const ChainRule& rule) {
  if (!put_text(m, NFTA_RULE_TABLE, rule.table, NFT_NAME_MAXLEN) ||
      !put_text(m, NFTA_RULE_CHAIN, rule.chain, NFT_NAME_MAXLEN))
    return false;
  {
    const Nest expressions(m, NFTA_RULE_EXPRESSIONS);
    const bool inward = rule.passes == ChainRule::Passes::from_link;
    if (!expressions ||
        !put_link(m, inward ? NFT_META_IIFNAME : NFT_META_OIFNAME, rule.link) ||
        (rule.passes == ChainRule::Passes::replies_to_link && !put_established(m)) ||
        !put_accept(m))
      return false;
  }
  return put_comment(m, rule.comment);
}

}  // namespace

Result<Msg> encode_rule(const ChainRule& rule) {
  if (rule.family != "ip" && rule.family != "ip6")
    return fail(EINVAL, "family " + rule.family + " has no chains of iptables");
  if (rule.link.empty() || rule.link.size() >= IFNAMSIZ || rule.comment.empty() ||
      rule.comment.size() > kMaxRuleComment)
    return fail(EINVAL, "a rule needs a link and a comment");
  // Without NLM_F_APPEND it comes first.
  auto m = nft_message(NFT_MSG_NEWRULE, NLM_F_CREATE,
                       rule.family == "ip" ? NFPROTO_IPV4 : NFPROTO_IPV6, kRuleMessage);
  if (!put_rule(m.get(), rule)) return message_full();
  return m;
}

Result<void> insert_rules(std::span<const ChainRule> rules) {
  std::vector<Msg> messages;
  for (const auto& rule : std::views::reverse(rules))
    messages.push_back(TRY(encode_rule(rule)));
  auto done = transact_nft(messages);
  if (!done)
    return within("rule for " + rules.front().table + " " + rules.front().chain,
                  std::move(done).error());
  return {};
}

}  // namespace wigeon::netlink
