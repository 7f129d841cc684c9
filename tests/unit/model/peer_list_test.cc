// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/peer_list.hh"

#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

RemotePeer full(uint8_t n) {
  RemotePeer p;
  p.key = key(n);
  p.allowed_ips = {*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00::/64")};
  p.fqdn = *DomainName::parse("peer" + std::to_string(n) + ".example");
  p.agent_version = "0.59.1";
  p.endpoints = {HostPort{"vpn.example", n}, *Endpoint::parse("192.0.2.1:7")};
  p.keepalive = 0;
  p.preshared_key = *SecretKey::parse(key(n).text());
  p.groups = {"a", "b"};
  return p;
}

void check_same(const PeerView& have, const RemotePeer& want) {
  CHECK(have.key == want.key);
  CHECK(std::vector(have.allowed_ips.begin(), have.allowed_ips.end()) ==
        want.allowed_ips);
  CHECK(have.fqdn() == want.fqdn);
  CHECK(have.agent_version == want.agent_version);
  CHECK(have.endpoints() == want.endpoints);
  CHECK(have.keepalive == want.keepalive);
  CHECK((have.preshared_key ? *have.preshared_key : SecretKey{}) == want.preshared_key);
  const auto groups = have.groups();
  CHECK(std::vector<std::string>(groups.begin(), groups.end()) == want.groups);
}

// Decoded as a whole: keys, two allowed IPs, a name of 24 characters, an endpoint.
std::string ordinary_peers(size_t count) {
  std::string list;
  std::vector<uint8_t> bytes(kKeyBytes, 1);
  for (size_t i = 0; i < count; ++i) {
    bytes[0] = static_cast<uint8_t>(i);
    bytes[1] = static_cast<uint8_t>(i >> 8);
    const auto digits = std::to_string(10'000 + i);
    list += std::string(list.empty() ? "" : ",") + R"({"wgPubKey":")" +
            base64_encode(bytes) + R"(","allowedIps":["100.64.)" +
            std::to_string(i >> 8) + "." + std::to_string(i & 255) +
            R"(/32","fd00:77::)" + std::to_string(i) + R"(/128"],"fqdn":"peer)" + digits +
            R"(.wigeon.example","agentVersion":"0.59.1","endpoint":"198.51.100.7:)" +
            digits + R"(","persistentKeepalive":25})";
  }
  return R"({"remotePeers":[)" + list + "]}";
}

}  // namespace

TEST_CASE("a list gives back what was added, with and without each member") {
  const RemotePeer bare{.key = key(9)};
  PeerList list;
  list.push_back(bare);
  list.push_back(full(1));
  list.push_back(bare);
  list.push_back(full(2));
  list.settle();
  REQUIRE(list.size() == 4);
  check_same(list[0], bare);
  check_same(list[1], full(1));
  check_same(list[2], bare);
  check_same(list[3], full(2));
  const PeerList copy = list;
  list.clear();
  CHECK(list.empty());
  check_same(copy[3], full(2));
  size_t seen = 0;
  for (const auto& p : copy) seen += p.allowed_ips.size();
  CHECK(seen == 4);
}

TEST_CASE("drafts are added in their order, dropped ones are not") {
  PeerList list;
  list.draft() = full(1);
  list.draft() = full(2);
  list.drop_draft();
  list.draft() = full(3);
  list.settle();
  REQUIRE(list.size() == 2);
  check_same(list[0], full(1));
  check_same(list[1], full(3));
}

TEST_CASE("names keep their domains, however many there are") {
  PeerList list;
  const auto name = [](size_t i) {
    return i % 7 == 0
               ? "single" + std::to_string(i)
               : "host" + std::to_string(i) + ".in.domain" + std::to_string(i % 50);
  };
  for (size_t i = 0; i < 200; ++i) {
    RemotePeer p{.key = key(1)};
    p.fqdn = *DomainName::parse(name(i));
    list.push_back(p);
  }
  list.settle();
  for (size_t i = 0; i < list.size(); ++i) {
    CHECK(list[i].fqdn_text() == name(i));
    CHECK(list[i].fqdn().text() == name(i));
  }
}

TEST_CASE("an only endpoint is one place, and an address") {
  const auto only = [](std::vector<Place> places) {
    PeerList list;
    list.push_back({.key = key(1), .endpoints = places});
    list.push_back({.key = key(2), .endpoints = {Endpoint{Address::v4(1), 1}}});
    list.settle();
    CHECK(list[0].endpoints() == places);
    return list[0].only_endpoint();
  };
  const auto v4 = *Endpoint::parse("192.0.2.1:65535"), v6 = *Endpoint::parse("[::1]:256");
  CHECK(only({v4}) == v4);
  CHECK(only({v6}) == v6);
  CHECK(only({}) == std::nullopt);
  CHECK(only({HostPort{"vpn.example", 7}}) == std::nullopt);
  CHECK(only({v4, v6}) == std::nullopt);
  CHECK(only({v4, HostPort{"vpn.example", 7}}) == std::nullopt);
}

TEST_CASE("peers in order of their keys, equal ones in the map's") {
  PeerList list;
  std::vector<uint8_t> bytes(kKeyBytes, 7);
  for (const int last : {9, 200, 9, 1}) {
    bytes.back() = static_cast<uint8_t>(last);
    list.push_back({.key = *Key::from_bytes(bytes)});
  }
  list.push_back({.key = key(200)});
  list.push_back({.key = key(1)});
  const auto order = list.by_key();
  REQUIRE(order.size() == list.size());
  for (size_t i = 1; i < order.size(); ++i) {
    const auto &a = list.key(order[i - 1]), &b = list.key(order[i]);
    CHECK((a < b || (a == b && order[i - 1] < order[i])));
  }
}

TEST_CASE("a peer of a map takes at most 112 bytes") {
  const auto map = decode_map(ordinary_peers(10'000), "m");
  REQUIRE(map);
  REQUIRE(map->remote_peers.size() == 10'000);
  CHECK(map->remote_peers.bytes() / 10'000 <= 112);
}
