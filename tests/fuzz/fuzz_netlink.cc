// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a datagram of the kernel: as events, as acknowledgements, and as the
// replies about a WireGuard device. A device that is read survives being written and read
// again.
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <algorithm>
#include <cstdlib>

#include "netlink/ack.hh"
#include "netlink/event.hh"
#include "netlink/wireguard.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

DeviceChange change_to(const ObservedDevice& device) {
  DeviceChange c{.private_key = device.private_key,
                 .listen_port = device.listen_port,
                 .fwmark = device.fwmark,
                 .replace_peers = true};
  for (const auto& p : device.peers)
    c.peers.push_back({.public_key = p.peer.public_key,
                       .preshared_key = p.peer.preshared_key,
                       .endpoint = p.peer.endpoint,
                       .keepalive = p.peer.keepalive,
                       .allowed_ips = p.peer.allowed_ips});
  return c;
}

bool same(const ObservedDevice& a, const ObservedDevice& b) {
  const auto peer = [](const ObservedPeer& p) -> const Peer& { return p.peer; };
  return a.private_key == b.private_key && a.listen_port == b.listen_port &&
         a.fwmark == b.fwmark && std::ranges::equal(a.peers, b.peers, {}, peer, peer);
}

bool take(DeviceDecoder& d, Bytes datagram) {
  return for_each_message(datagram, [&](const Message& m) { return d.take(m); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes datagram(data, size);
  std::vector<Event> events;
  (void)read_events(datagram, events);
  (void)for_each_message(datagram, [](const Message& m) {
    (void)outcome(m);
    return true;
  });

  DeviceDecoder decoder;
  if (!take(decoder, datagram)) return 0;
  const auto device = std::move(decoder).finish();
  DeviceDecoder again;
  for (const auto& m :
       SetEncoder(0x23, IfIndex{1}, change_to(device), kMinSetBytes).next(SIZE_MAX)) {
    static_cast<genlmsghdr*>(nlmsg_data(nlmsg_hdr(m.get())))->cmd = WG_CMD_GET_DEVICE;
    if (!take(again, bytes(m.get()))) std::abort();
  }
  if (!same(std::move(again).finish(), device)) std::abort();
  return 0;
}
