// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/nft_monitor.hh"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <vector>

#include "netlink/socket.hh"

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

struct NftMonitor::State {
  UniqueFd fd{};
  Changed changed{};
  std::vector<uint8_t> buffer = std::vector<uint8_t>(kReceiveBytes);

  NftHeard hear();
};

NftHeard NftMonitor::State::hear() {
  NftHeard heard;
  for (int i = 0; i < kNftDatagramsAtOnce; ++i) {
    const ssize_t n =
        ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOBUFS) {  // what is still queued came before the loss
      heard.overrun = true;
      continue;
    }
    if (n <= 0) break;
    const auto size = static_cast<size_t>(n);
    if (size > buffer.size() || !read_touched(Bytes(buffer).first(size), heard))
      heard.overrun = true;
  }
  return heard;
}

Result<NftMonitor> NftMonitor::open(Loop& loop, Changed changed, int buffer) {
  auto state = std::make_shared<State>();
  state->changed = std::move(changed);
  state->fd = UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!state->fd) return fail_errno("netlink socket");
  const int fd = state->fd.get();
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer,
                       sizeof buffer);  // overruns sooner
  const sockaddr_nl kernel{
      .nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) != 0)
    return fail_errno("netlink connect");
  const int group = NFNLGRP_NFTABLES;
  if (::setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
    return fail_errno("joining netlink group of nf_tables");
  auto watch = TRY(loop.watch(fd, EPOLLIN, [state](uint32_t) {
    const NftHeard heard = state->hear();
    if (heard.overrun || !heard.tables.empty()) state->changed(heard);
  }));
  return NftMonitor(std::move(state), std::move(watch));
}

}  // namespace wigeon::netlink
