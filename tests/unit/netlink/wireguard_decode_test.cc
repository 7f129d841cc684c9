// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <catch2/catch.hpp>

#include "netlink/wireguard.hh"
#include "tests/unit/netlink/random_change.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

Msg reply() {
  auto m = new_message(0x23, 0, 4096);
  const genlmsghdr h{.cmd = WG_CMD_GET_DEVICE, .version = 1, .reserved = 0};
  REQUIRE(put_header(m.get(), h));
  return m;
}

bool take(DeviceDecoder& d, Bytes datagram) {
  return for_each_message(datagram, [&](const Message& m) { return d.take(m); });
}

// What is set, answered by a kernel that has nothing else to say.
Result<ObservedDevice> read_back(const DeviceChange& change, size_t capacity) {
  DeviceDecoder decoder;
  for (const auto& m : SetEncoder(0x23, IfIndex{7}, change, capacity).next(SIZE_MAX)) {
    auto* h = static_cast<genlmsghdr*>(nlmsg_data(nlmsg_hdr(m.get())));
    h->cmd = WG_CMD_GET_DEVICE;
    if (!take(decoder, bytes(m.get()))) return fail(EBADMSG, "malformed");
  }
  return std::move(decoder).finish();
}

Key key(uint8_t byte) { return *Key::from_bytes(std::vector<uint8_t>(32, byte)); }

// A peer nest with this key and one allowed IP.
void put_peer(nl_msg* m, uint8_t key_byte, const char* ip) {
  const auto prefix = *Prefix::parse(ip);
  const Nest peer(m, 0);
  REQUIRE(put(m, WGPEER_A_PUBLIC_KEY, key(key_byte).bytes()));
  const Nest list(m, WGPEER_A_ALLOWEDIPS);
  const Nest one(m, 0);
  REQUIRE(put(m, WGALLOWEDIP_A_FAMILY, static_cast<uint16_t>(prefix.family())));
  REQUIRE(put(m, WGALLOWEDIP_A_IPADDR, prefix.address()));
  REQUIRE(put(m, WGALLOWEDIP_A_CIDR_MASK, static_cast<uint8_t>(prefix.bits())));
}

}  // namespace

TEST_CASE("a device split over replies anywhere is read as the same device") {
  RandomChanges random(11);
  for (size_t capacity = kMinSetBytes; capacity < 1200; capacity += 4) {
    auto change = random.next(8, 20);
    const auto device = read_back(change, capacity);
    REQUIRE(device);
    std::vector<Peer> peers;
    for (const auto& p : device->peers) peers.push_back(p.peer);
    REQUIRE(peers == peers_of(change));
    REQUIRE(device->private_key == change.private_key.value_or(SecretKey{}));
    REQUIRE(device->listen_port == change.listen_port.value_or(0));
    REQUIRE(device->fwmark == change.fwmark.value_or(0));
  }
}

TEST_CASE("a peer that goes on in the next reply keeps what the first one said") {
  DeviceDecoder decoder;
  const auto first = reply(), second = reply();
  {
    const Nest peers(first.get(), WGDEVICE_A_PEERS);
    put_peer(first.get(), 9, "10.9.0.0/16");
    const Nest peer(first.get(), 0);
    REQUIRE(put(first.get(), WGPEER_A_PUBLIC_KEY, key(3).bytes()));
    REQUIRE(put(first.get(), WGPEER_A_RX_BYTES, uint64_t{1000}));
    REQUIRE(put(first.get(), WGPEER_A_TX_BYTES, uint64_t{2000}));
    const int64_t time[2] = {1'700'000'000, 500'000'000};
    REQUIRE(put(first.get(), WGPEER_A_LAST_HANDSHAKE_TIME,
                Bytes(reinterpret_cast<const uint8_t*>(time), sizeof time)));
  }
  {
    const Nest peers(second.get(), WGDEVICE_A_PEERS);
    put_peer(second.get(), 3, "fd00::/64");
    put_peer(second.get(), 3, "10.3.0.0/16");
    put_peer(second.get(), 3, "10.3.0.0/16");
  }
  REQUIRE(take(decoder, bytes(first.get())));
  REQUIRE(take(decoder, bytes(second.get())));
  const auto device = std::move(decoder).finish();
  REQUIRE(device.peers.size() == 2);
  CHECK(device.peers[0].peer.public_key == key(3));
  CHECK(device.peers[0].stats.rx_bytes == 1000);
  CHECK(device.peers[0].stats.tx_bytes == 2000);
  CHECK(device.peers[0].stats.last_handshake.time_since_epoch() ==
        std::chrono::milliseconds(1'700'000'000'500));
  CHECK(device.peers[0].peer.allowed_ips ==
        std::vector{*Prefix::parse("10.3.0.0/16"), *Prefix::parse("fd00::/64")});
  CHECK(device.peers[1].peer.public_key == key(9));
}

TEST_CASE("attributes that are not known are skipped") {
  DeviceDecoder decoder;
  const auto m = reply();
  REQUIRE(put(m.get(), 200, uint32_t{1}));
  REQUIRE(put(m.get(), WGDEVICE_A_LISTEN_PORT, uint16_t{51820}));
  REQUIRE(take(decoder, bytes(m.get())));
  CHECK(std::move(decoder).finish().listen_port == 51820);
}

TEST_CASE("replies with a wrong length anywhere are refused") {
  const auto refused = [](auto fill) {
    DeviceDecoder decoder;
    const auto m = reply();
    fill(m.get());
    return !take(decoder, bytes(m.get()));
  };
  const std::vector<uint8_t> five(5, 1);
  CHECK(refused([&](nl_msg* m) { return put(m, WGDEVICE_A_PRIVATE_KEY, five); }));
  CHECK(refused([&](nl_msg* m) { return put(m, WGDEVICE_A_LISTEN_PORT, five); }));
  CHECK(refused([&](nl_msg* m) { return put(m, WGDEVICE_A_PEERS, five); }));
  CHECK(refused([&](nl_msg* m) {
    const Nest peers(m, WGDEVICE_A_PEERS), peer(m, 0);
    return put(m, WGPEER_A_RX_BYTES, uint64_t{1});  // without a key
  }));
  CHECK(refused([&](nl_msg* m) {
    const Nest peers(m, WGDEVICE_A_PEERS), peer(m, 0);
    return put(m, WGPEER_A_PUBLIC_KEY, key(1).bytes()) &&
           put(m, WGPEER_A_ENDPOINT, uint16_t{AF_INET6});
  }));
  CHECK(refused([&](nl_msg* m) {
    const Nest peers(m, WGDEVICE_A_PEERS), peer(m, 0);
    const int64_t time[2] = {1, 1'000'000'000};
    return put(m, WGPEER_A_PUBLIC_KEY, key(1).bytes()) &&
           put(m, WGPEER_A_LAST_HANDSHAKE_TIME,
               Bytes(reinterpret_cast<const uint8_t*>(time), sizeof time));
  }));
}

TEST_CASE("no cut of a reply is read beyond its end") {
  const auto m = reply();
  {
    const Nest peers(m.get(), WGDEVICE_A_PEERS);
    put_peer(m.get(), 1, "10.0.0.0/8");
  }
  const Bytes whole = bytes(m.get());
  for (size_t n = 0; n < whole.size(); ++n) {
    const std::vector<uint8_t> cut(whole.begin(),
                                   whole.begin() + static_cast<ptrdiff_t>(n));
    DeviceDecoder decoder;
    CHECK(take(decoder, cut) == (n == 0));
  }
}
