// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/uapi.hh"

#include <catch2/catch.hpp>

#include "tests/unit/netlink/random_change.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

const std::string kHex(64, '5');

Result<ObservedDevice> get(const std::string& reply) { return uapi::decode_get(reply); }

}  // namespace

TEST_CASE("a change is written as the protocol's lines, in its order") {
  const auto key = *Key::from_bytes(std::vector<uint8_t>(32, 0xa1));
  const auto secret = *SecretKey::from_bytes(std::vector<uint8_t>(32, 0x0b));
  const DeviceChange change{
      .private_key = secret,
      .listen_port = 51820,
      .fwmark = 0,
      .replace_peers = true,
      .peers = {{.public_key = key,
                 .kind = PeerChange::Kind::update,
                 .preshared_key = secret,
                 .endpoint = *Endpoint::parse("[2001:db8::1]:51820"),
                 .keepalive = 25,
                 .allowed_ips = std::vector{*Prefix::parse("10.0.0.0/8")}},
                {.public_key = key, .kind = PeerChange::Kind::remove}}};
  std::string a1, ob;
  for (int i = 0; i < 32; ++i) {
    a1 += "a1";
    ob += "0b";
  }
  CHECK(uapi::encode_set(change).view() == "set=1\nprivate_key=" + ob +
                                               "\nlisten_port=51820\nfwmark=0\n"
                                               "replace_peers=true\npublic_key=" +
                                               a1 +
                                               "\nupdate_only=true\npreshared_key=" + ob +
                                               "\nendpoint=[2001:db8::1]:51820\n"
                                               "persistent_keepalive_interval=25\n"
                                               "replace_allowed_ips=true\n"
                                               "allowed_ip=10.0.0.0/8\npublic_key=" +
                                               a1 + "\nremove=true\n\n");
}

TEST_CASE("what was set reads back the same") {
  RandomChanges random(21);
  for (int i = 0; i < 300; ++i) {
    const auto change = random.next(6, 6);
    std::string text(uapi::encode_set(change).view());
    text.insert(text.size() - 1, "errno=0\n");
    const auto device = uapi::decode_get(text);
    REQUIRE(device);
    std::vector<Peer> peers;
    for (const auto& p : device->peers) peers.push_back(p.peer);
    REQUIRE(peers == peers_of(change));
    REQUIRE(device->private_key == change.private_key.value_or(SecretKey{}));
    REQUIRE(device->listen_port == change.listen_port.value_or(0));
    REQUIRE(device->fwmark == change.fwmark.value_or(0));
  }
}

TEST_CASE("a reply of wireguard-go is read") {
  const auto device =
      get("private_key=" + kHex + "\nlisten_port=51820\nfwmark=5\npublic_key=" +
          std::string(64, '1') + "\npreshared_key=" + std::string(64, '0') +
          "\nprotocol_version=1\nendpoint=[fe80::1%eth0]:55\n"
          "last_handshake_time_sec=1700000000\n"
          "last_handshake_time_nsec=500000000\ntx_bytes=7\nrx_bytes=8\n"
          "persistent_keepalive_interval=25\nallowed_ip=fd00::/64\n"
          "allowed_ip=10.0.0.0/8\nnews=1\nerrno=0\n\n");
  REQUIRE(device);
  CHECK(device->listen_port == 51820);
  CHECK(device->fwmark == 5);
  CHECK(device->public_key == device->private_key.public_key());
  REQUIRE(device->peers.size() == 1);
  const auto& [peer, stats] = device->peers[0];
  CHECK(peer.preshared_key.is_zero());
  CHECK(peer.endpoint->text() == "[fe80::1]:55");
  CHECK(peer.keepalive == 25);
  CHECK(peer.allowed_ips ==
        std::vector{*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00::/64")});
  CHECK(stats.tx_bytes == 7);
  CHECK(stats.rx_bytes == 8);
  CHECK(stats.last_handshake.time_since_epoch() ==
        std::chrono::milliseconds(1'700'000'000'500));
}

TEST_CASE("a device without a key has no public key") {
  const auto device = get("listen_port=1\nerrno=0\n\n");
  REQUIRE(device);
  CHECK(device->public_key.is_zero());
}

TEST_CASE("the errno of a reply is the error") {
  const auto refused = uapi::decode_set("errno=-22\n\n");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EINVAL);
  CHECK(refused.error().what == "EINVAL: Invalid argument");
  CHECK(uapi::decode_set("errno=0\n\n"));
  CHECK(get("listen_port=1\nerrno=2\n\n").error().code == ENOENT);
}

TEST_CASE("malformed replies are refused without quoting what may be a key") {
  for (const std::string bad :
       {"", "\n", "errno", "errno=0", "errno=x\n\n", "errno=5000\n\n",
        "listen_port=1\n\n", "listen_port=65536\nerrno=0\n\n", "fwmark=-1\nerrno=0\n\n",
        "private_key=12\nerrno=0\n\n", "public_key=zz\nerrno=0\n\n"})
    CHECK(get(bad).error().code == EBADMSG);
  const std::string peer = "public_key=" + kHex + "\n";
  for (const std::string bad :
       {"endpoint=1.2.3.4\n", "endpoint=%:]\n", "allowed_ip=10.0.0.0/33\n",
        "persistent_keepalive_interval=70000\n", "rx_bytes=99999999999999999999\n",
        "last_handshake_time_sec=9223372036854775807\n",
        "last_handshake_time_nsec=1000000000\n", "protocol_version=2\n", "allowed_ip\n"})
    CHECK(get(peer + bad + "errno=0\n\n").error().code == EBADMSG);
  const auto secret = get("private_key=" + kHex + "5\nerrno=0\n\n");
  REQUIRE_FALSE(secret);
  CHECK(secret.error().what.find("555") == std::string::npos);
}
