// SPDX-License-Identifier: GPL-2.0-or-later
// Any text as the reply of a userspace WireGuard. A device that is read survives being
// written and read again.
#include <algorithm>
#include <cstdlib>

#include "netlink/uapi.hh"

using namespace wigeon;
using namespace wigeon::netlink;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view reply(reinterpret_cast<const char*>(data), size);
  (void)uapi::decode_set(reply);
  const auto device = uapi::decode_get(reply);
  if (!device) return 0;
  DeviceChange c{.private_key = device->private_key,
                 .listen_port = device->listen_port,
                 .fwmark = device->fwmark};
  for (const auto& p : device->peers)
    c.peers.push_back({.public_key = p.peer.public_key,
                       .preshared_key = p.peer.preshared_key,
                       .endpoint = p.peer.endpoint,
                       .keepalive = p.peer.keepalive,
                       .allowed_ips = p.peer.allowed_ips});
  std::string text(uapi::encode_set(c).view());
  text.insert(text.size() - 1, "errno=0\n");
  const auto again = uapi::decode_get(text);
  if (!again || again->private_key != device->private_key ||
      again->listen_port != device->listen_port || again->fwmark != device->fwmark)
    std::abort();
  const auto peer = [](const ObservedPeer& p) -> const Peer& { return p.peer; };
  if (!std::ranges::equal(again->peers, device->peers, {}, peer, peer)) std::abort();
  return 0;
}
