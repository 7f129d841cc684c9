// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <algorithm>
#include <cassert>
#include <span>

#include "netlink/wireguard.hh"

namespace wigeon::netlink {
namespace {

bool put_allowed_ip(nl_msg* m, const Prefix& p) {
  Nest ip(m, 0);
  if (ip && put(m, WGALLOWEDIP_A_FAMILY, static_cast<uint16_t>(p.family())) &&
      put(m, WGALLOWEDIP_A_IPADDR, p.address()) &&
      put(m, WGALLOWEDIP_A_CIDR_MASK, static_cast<uint8_t>(p.bits())))
    return true;
  ip.drop();
  return false;
}

bool put_endpoint(nl_msg* m, const Endpoint& e) {
  sockaddr_storage storage;
  const socklen_t length = to_sockaddr(e, storage);
  return put(m, WGPEER_A_ENDPOINT,
             Bytes(reinterpret_cast<const uint8_t*>(&storage), length));
}

uint32_t flags_of(const PeerChange& p, bool begun) {
  switch (p.kind) {
    case PeerChange::Kind::remove:
      return WGPEER_F_REMOVE_ME;
    // Said again where a peer goes on: it must not come back to life in between.
    case PeerChange::Kind::update:
      return WGPEER_F_UPDATE_ONLY |
             (p.allowed_ips && !begun ? uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS} : 0);
    case PeerChange::Kind::add:
      return p.allowed_ips && !begun ? uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS} : 0;
  }
  return 0;
}

// Key, flags and, once, what is not a list. Endpoint and keepalive go together: the
// kernel sends a first keepalive when it is switched on, and needs to know where to.
bool put_peer_itself(nl_msg* m, const PeerChange& p, bool begun) {
  if (!put(m, WGPEER_A_PUBLIC_KEY, p.public_key.bytes())) return false;
  const uint32_t flags = flags_of(p, begun);
  if (flags != 0 && !put(m, WGPEER_A_FLAGS, flags)) return false;
  if (begun || p.kind == PeerChange::Kind::remove) return true;
  if (p.preshared_key && !put(m, WGPEER_A_PRESHARED_KEY, p.preshared_key->bytes()))
    return false;
  if (p.endpoint && !put_endpoint(m, *p.endpoint)) return false;
  return !p.keepalive || put(m, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, *p.keepalive);
}

bool put_device(nl_msg* m, const DeviceChange& c) {
  return (!c.replace_peers ||
          put(m, WGDEVICE_A_FLAGS, uint32_t{WGDEVICE_F_REPLACE_PEERS})) &&
         (!c.private_key || put(m, WGDEVICE_A_PRIVATE_KEY, c.private_key->bytes())) &&
         (!c.listen_port || put(m, WGDEVICE_A_LISTEN_PORT, *c.listen_port)) &&
         (!c.fwmark || put(m, WGDEVICE_A_FWMARK, *c.fwmark));
}

// Not less than these need, so that a small change does not pay for a large buffer.
size_t enough(std::span<const PeerChange> peers, size_t capacity) {
  constexpr size_t kMostForDevice = 128, kMostForPeer = 144, kMostForIp = 48;
  size_t size = kMostForDevice;
  for (const auto& p : peers) {
    size += kMostForPeer + (p.allowed_ips ? p.allowed_ips->size() * kMostForIp : 0);
    if (size >= capacity) return capacity;
  }
  return size;
}

}  // namespace

SetEncoder::SetEncoder(uint16_t family, IfIndex link, const DeviceChange& change,
                       size_t capacity)
    : family_(family),
      link_(link),
      change_(change),
      capacity_(capacity),
      finished_(change.empty()) {
  assert(capacity >= kMinSetBytes && capacity <= kSetBytes);
}

// False when the message is full: at_ says where the next one goes on.
bool SetEncoder::put_peer(nl_msg* m, const PeerChange& p) {
  Nest peer(m, 0);
  if (!peer || !put_peer_itself(m, p, at_.begun)) {
    peer.drop();
    return false;
  }
  at_.begun = true;
  if (!p.allowed_ips || p.kind == PeerChange::Kind::remove) return true;
  if (at_.allowed_ip == p.allowed_ips->size()) return true;
  const Nest list(m, WGPEER_A_ALLOWEDIPS);
  if (!list) return false;
  for (; at_.allowed_ip < p.allowed_ips->size(); ++at_.allowed_ip)
    if (!put_allowed_ip(m, (*p.allowed_ips)[at_.allowed_ip])) return false;
  return true;
}

void SetEncoder::put_peers(nl_msg* m) {
  const auto& peers = change_.peers;
  if (at_.peer == peers.size()) return;
  const Nest list(m, WGDEVICE_A_PEERS);
  while (list && at_.peer < peers.size() && put_peer(m, peers[at_.peer]))
    at_ = {.peer = at_.peer + 1};
}

Msg SetEncoder::message() {
  const bool first = at_.peer == 0 && !at_.begun;
  const auto left = std::span(change_.peers).subspan(at_.peer);
  auto m = new_message(family_, 0, enough(left, capacity_));
  const genlmsghdr h{.cmd = WG_CMD_SET_DEVICE, .version = WG_GENL_VERSION, .reserved = 0};
  const bool fits = put_header(m.get(), h) &&
                    put(m.get(), WGDEVICE_A_IFINDEX, static_cast<uint32_t>(link_)) &&
                    (!first || put_device(m.get(), change_));
  assert(fits);
  (void)fits;
  put_peers(m.get());
  finished_ = at_.peer == change_.peers.size();
  return m;
}

std::vector<Msg> SetEncoder::next(size_t most) {
  std::vector<Msg> some;
  while (some.size() < most && !finished_) some.push_back(message());
  return some;
}

}  // namespace wigeon::netlink
