// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/nft_monitor.hh"

#include <linux/netfilter/nf_tables.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <vector>

#include "netlink/nfnetlink.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

// What a 6.18 kernel sent.
std::vector<uint8_t> captured(const std::string& name) {
  std::ifstream file(WIGEON_SOURCE "/tests/fuzz/corpus/nft_events/" + name,
                     std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

NftHeard heard(Bytes datagram) {
  NftHeard h;
  REQUIRE(read_touched(datagram, h));
  return h;
}

std::vector<uint8_t> event(int type, std::string_view table) {
  const auto m = nft_message(type, 0, 2);
  REQUIRE(put_text(m.get(), NFTA_TABLE_NAME, table, 255));
  const auto b = bytes(m.get());
  return {b.begin(), b.end()};
}

}  // namespace

TEST_CASE("tables are read from what the kernel sends") {
  using Tables = std::set<TouchedTable>;
  CHECK(heard(captured("table_chain_rule")).tables == Tables{{"inet", "wigeon"}});
  CHECK(heard(captured("set_and_elements")).tables == Tables{{"inet", "wigeon"}});
  CHECK(heard(captured("object")).tables == Tables{{"ip6", "other"}});
  CHECK(heard(captured("two_tables")).tables ==
        Tables{{"ip", "docker"}, {"bridge", "b"}, {"netdev", "n"}, {"arp", "a"}});
  CHECK(heard(captured("gone")).tables.size() == 6);
}

TEST_CASE("what is cut, nameless or too long is malformed, wherever it is cut") {
  const auto whole = captured("table_chain_rule");
  for (size_t n = 1; n < whole.size(); ++n) {
    NftHeard h;
    (void)read_touched(Bytes(whole).first(n), h);
    CHECK(h.tables.size() <= 1);
  }
  NftHeard h;
  CHECK_FALSE(read_touched(captured("cut"), h));
  CHECK(h.tables.size() == 1);  // of the message before the cut
  h = {};
  CHECK_FALSE(read_touched(event(NFT_MSG_NEWRULE, ""), h));
  const auto nameless = nft_message(NFT_MSG_NEWTABLE, 0, 2);
  CHECK_FALSE(read_touched(bytes(nameless.get()), h));
  CHECK(h.tables.empty());
}

TEST_CASE("what is not about a table is skipped") {
  CHECK(heard(event(NFT_MSG_NEWGEN, "x")).tables.empty());
  CHECK(heard(event(NFT_MSG_TRACE, "x")).tables.empty());
  auto other = event(NFT_MSG_NEWTABLE, "x");
  other[5] = NFNL_SUBSYS_CTNETLINK;  // high byte of nlmsg_type, little endian
  CHECK(heard(other).tables.empty());
}

TEST_CASE("more tables than the limit are an overrun, not memory") {
  NftHeard h;
  for (size_t i = 0; i < kMaxTouched; ++i)
    REQUIRE(read_touched(event(NFT_MSG_NEWTABLE, std::to_string(i)), h));
  CHECK_FALSE(h.overrun);
  REQUIRE(read_touched(event(NFT_MSG_NEWTABLE, "0"), h));
  CHECK_FALSE(h.overrun);
  REQUIRE(read_touched(event(NFT_MSG_NEWTABLE, "one more"), h));
  CHECK(h.overrun);
  CHECK(h.tables.size() == kMaxTouched);
}
