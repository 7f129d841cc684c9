// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <algorithm>

#include "netlink/wireguard.hh"

namespace wigeon::netlink {
namespace {

struct Timespec {  // struct __kernel_timespec
  int64_t seconds = 0;
  int64_t nanoseconds = 0;
};

bool read_endpoint(const Attr& a, std::optional<Endpoint>& to) {
  sockaddr_storage storage{};
  if (a.payload.size() > sizeof storage) return false;
  std::ranges::copy(a.payload, reinterpret_cast<uint8_t*>(&storage));
  const auto e = from_sockaddr(reinterpret_cast<const sockaddr*>(&storage),
                               static_cast<socklen_t>(a.payload.size()));
  if (e) to = *e;
  return e.has_value();
}

bool read_time(const Attr& a, std::chrono::system_clock::time_point& to) {
  Timespec t;
  if (a.payload.size() != sizeof t || !copy_front(a.payload, t)) return false;
  const auto time = since_epoch(t.seconds, t.nanoseconds);
  if (time) to = *time;
  return time.has_value();
}

bool read_allowed_ip(Bytes attrs, std::vector<Prefix>& to) {
  uint16_t family = 0;
  uint8_t bits = 0;
  Address address;
  const bool good = for_each_attr(attrs, [&](const Attr& a) {
    switch (a.type) {
      case WGALLOWEDIP_A_FAMILY:
        return a.read(family);
      case WGALLOWEDIP_A_IPADDR:
        return a.read(address);
      case WGALLOWEDIP_A_CIDR_MASK:
        return a.read(bits);
      default:
        return true;
    }
  });
  if (!good || family != static_cast<uint16_t>(address.family())) return false;
  const auto prefix = Prefix::make(address, bits);
  if (prefix) to.push_back(*prefix);
  return prefix.has_value();
}

bool read_peer(Bytes attrs, ObservedPeer& to) {
  Peer& peer = to.peer;
  const auto allowed_ip = [&](const Attr& a) {
    return read_allowed_ip(a.payload, peer.allowed_ips);
  };
  bool named = false;
  const bool good = for_each_attr(attrs, [&](const Attr& a) {
    switch (a.type) {
      case WGPEER_A_PUBLIC_KEY:
        return named = a.read(peer.public_key);
      case WGPEER_A_PRESHARED_KEY:
        return a.read(peer.preshared_key);
      case WGPEER_A_ENDPOINT:
        return read_endpoint(a, peer.endpoint);
      case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
        return a.read(peer.keepalive);
      case WGPEER_A_LAST_HANDSHAKE_TIME:
        return read_time(a, to.stats.last_handshake);
      case WGPEER_A_RX_BYTES:
        return a.read(to.stats.rx_bytes);
      case WGPEER_A_TX_BYTES:
        return a.read(to.stats.tx_bytes);
      case WGPEER_A_ALLOWEDIPS:
        return for_each_attr(a.payload, allowed_ip);
      default:
        return true;
    }
  });
  return good && named;
}

}  // namespace

bool DeviceDecoder::take(const Message& reply) {
  genlmsghdr h;
  Bytes attrs;
  if (!reply.split(h, attrs) || h.cmd != WG_CMD_GET_DEVICE) return false;
  const auto peer = [&](const Attr& a) {
    ObservedPeer read;
    if (!read_peer(a.payload, read) || device_.peers.size() == kMaxPeersRead)
      return false;
    device_.peers.push_back(std::move(read));
    return true;
  };
  return for_each_attr(attrs, [&](const Attr& a) {
    switch (a.type) {
      case WGDEVICE_A_PRIVATE_KEY:
        return a.read(device_.private_key);
      case WGDEVICE_A_PUBLIC_KEY:
        return a.read(device_.public_key);
      case WGDEVICE_A_LISTEN_PORT:
        return a.read(device_.listen_port);
      case WGDEVICE_A_FWMARK:
        return a.read(device_.fwmark);
      case WGDEVICE_A_PEERS:
        return for_each_attr(a.payload, peer);
      default:
        return true;
    }
  });
}

ObservedDevice DeviceDecoder::finish() && {
  tidy(device_);
  return std::move(device_);
}

}  // namespace wigeon::netlink
