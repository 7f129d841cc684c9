// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/nft_monitor.hh"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

namespace wigeon::netlink {
namespace {

std::string family_text(uint8_t family) {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_ARP:
      return "arp";
    case NFPROTO_NETDEV:
      return "netdev";
    case NFPROTO_BRIDGE:
      return "bridge";
    default:
      return std::to_string(family);
  }
}

// Attribute 1 of all of these is the table's name.
static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
              NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1 &&
              NFTA_OBJ_TABLE == 1 && NFTA_FLOWTABLE_TABLE == 1);

bool names_a_table(uint8_t type) {
  switch (type) {
    case NFT_MSG_NEWTABLE:
    case NFT_MSG_DELTABLE:
    case NFT_MSG_NEWCHAIN:
    case NFT_MSG_DELCHAIN:
    case NFT_MSG_NEWRULE:
    case NFT_MSG_DELRULE:
    case NFT_MSG_NEWSET:
    case NFT_MSG_DELSET:
    case NFT_MSG_NEWSETELEM:
    case NFT_MSG_DELSETELEM:
    case NFT_MSG_NEWOBJ:
    case NFT_MSG_DELOBJ:
    case NFT_MSG_NEWFLOWTABLE:
    case NFT_MSG_DELFLOWTABLE:
      return true;
    default:
      return false;
  }
}

bool read_one(const Message& m, NftHeard& heard) {
  if (m.type >> 8 != NFNL_SUBSYS_NFTABLES ||
      !names_a_table(static_cast<uint8_t>(m.type & 0xff)))
    return true;
  nfgenmsg h;
  Bytes attrs;
  if (!m.split(h, attrs)) return false;
  std::string name;
  if (!for_each_attr(attrs, [&](const Attr& a) {
        return a.type != NFTA_TABLE_NAME || !name.empty() ||
               (a.payload.size() <= NFT_NAME_MAXLEN && a.read(name));
      }))
    return false;
  if (name.empty()) return false;
  TouchedTable table{family_text(h.nfgen_family), std::move(name)};
  if (heard.tables.size() < kMaxTouched)
    heard.tables.insert(std::move(table));
  else if (!heard.tables.contains(table))
    heard.overrun = true;
  return true;
}

}  // namespace

bool read_touched(Bytes datagram, NftHeard& heard) {
  return for_each_message(datagram, [&](const Message& m) { return read_one(m, heard); });
}

Result<NftMonitor> NftMonitor::open(Loop& loop, Changed changed, int buffer) {
  static constexpr int kGroups[] = {NFNLGRP_NFTABLES};
  return NftMonitor(TRY(Multicast::open(
      loop, NETLINK_NETFILTER, kGroups, buffer,
      [changed = std::move(changed)](const Multicast::Hear& hear) mutable {
        NftHeard heard;
        if (!hear([&](Bytes datagram) { return read_touched(datagram, heard); }))
          heard.overrun = true;
        if (heard.overrun || !heard.tables.empty()) changed(heard);
      })));
}

}  // namespace wigeon::netlink
