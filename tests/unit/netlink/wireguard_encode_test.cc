// SPDX-License-Identifier: GPL-2.0-or-later
#include <netlink/attr.h>

#include <catch2/catch.hpp>

#include "netlink/wireguard.hh"
#include "tests/unit/netlink/random_change.hh"
#include "tests/unit/netlink/set_decoder.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

constexpr uint16_t kFamily = 0x23;
constexpr IfIndex kLink{7};

size_t longest(const std::vector<Msg>& messages) {
  size_t n = 0;
  for (const auto& m : messages) n = std::max(n, bytes(m.get()).size());
  return n;
}

}  // namespace

TEST_CASE("a change read back from its messages is the same change") {
  RandomChanges random(1);
  for (int i = 0; i < 300; ++i) {
    const auto change = random.next(12, 8);
    const auto decoded = decode_set(SetEncoder(kFamily, kLink, change).next(SIZE_MAX));
    REQUIRE(decoded.change == change);
    REQUIRE((change.empty() || decoded.link == 7));
  }
}

TEST_CASE("however small the messages, nothing is lost and nothing is said twice") {
  RandomChanges random(2);
  size_t continued = 0;
  for (size_t capacity = kMinSetBytes; capacity < 1200; capacity += 4) {
    const auto change = random.next(8, 30);
    const auto messages = SetEncoder(kFamily, kLink, change, capacity).next(SIZE_MAX);
    REQUIRE(longest(messages) <= capacity);
    const auto decoded = decode_set(messages);
    REQUIRE(decoded.change == change);
    continued += decoded.continued;
  }
  CHECK(continued > 100);
}

TEST_CASE("10,000 peers with an address and an endpoint take 17 messages") {
  DeviceChange change{.replace_peers = true};
  RandomChanges random(3);
  for (uint32_t i = 0; i < 10'000; ++i) {
    auto p = random.peer(0);
    p = {.public_key = p.public_key,
         .endpoint = Endpoint{Address::v4(0xc0000200 + i), 51820},
         .keepalive = 25,
         .allowed_ips = std::vector{Prefix::host(Address::v4(0x64400000 + i))}};
    change.peers.push_back(std::move(p));
  }
  const auto messages = SetEncoder(kFamily, kLink, change).next(SIZE_MAX);
  CHECK(messages.size() == 17);
  CHECK(longest(messages) <= 65'535);
  CHECK(decode_set(messages).change == change);
}

TEST_CASE(
    "one peer with more allowed IPs than a message takes goes on in the next ones") {
  PeerChange p{.public_key = *Key::from_bytes(std::vector<uint8_t>(32, 5)),
               .kind = PeerChange::Kind::update,
               .allowed_ips = std::vector<Prefix>{}};
  for (uint32_t i = 0; i < 5000; ++i)
    p.allowed_ips->push_back(Prefix::host(Address::v4(0x0a000000 + i)));
  const DeviceChange change{.peers = {p}};
  const auto messages = SetEncoder(kFamily, kLink, change).next(SIZE_MAX);
  const auto decoded = decode_set(messages);
  CHECK(messages.size() == 3);
  CHECK(decoded.continued == 2);
  CHECK(decoded.change == change);
}

TEST_CASE("an empty change takes no message, clearing the peers takes one") {
  CHECK(SetEncoder(kFamily, kLink, {}).next(SIZE_MAX).empty());
  const auto messages =
      SetEncoder(kFamily, kLink, {.replace_peers = true}).next(SIZE_MAX);
  REQUIRE(messages.size() == 1);
  CHECK(decode_set(messages).change == DeviceChange{.replace_peers = true});
}

TEST_CASE("a small change makes a small message") {
  RandomChanges random(4);
  const auto messages =
      SetEncoder(kFamily, kLink, {.peers = {random.peer(1)}}).next(SIZE_MAX);
  REQUIRE(messages.size() == 1);
  CHECK(nlmsg_get_max_size(messages[0].get()) < 512);
}

TEST_CASE("nested attributes say that they are nested, as kernels since 5.2 require") {
  RandomChanges random(5);
  auto p = random.peer(0);
  p.kind = PeerChange::Kind::add;
  p.allowed_ips = std::vector{*Prefix::parse("10.0.0.0/8")};
  const auto messages = SetEncoder(kFamily, kLink, {.peers = {p}}).next(SIZE_MAX);
  nlmsghdr* h = nlmsg_hdr(messages.at(0).get());
  nlattr* peers = nlmsg_find_attr(h, GENL_HDRLEN, WGDEVICE_A_PEERS);
  REQUIRE(peers);
  CHECK((peers->nla_type & NLA_F_NESTED) != 0);
  auto* peer = static_cast<nlattr*>(nla_data(peers));
  CHECK(peer->nla_type == NLA_F_NESTED);
  nlattr* ips =
      nla_find(static_cast<nlattr*>(nla_data(peer)), nla_len(peer), WGPEER_A_ALLOWEDIPS);
  REQUIRE(ips);
  CHECK((ips->nla_type & NLA_F_NESTED) != 0);
}
