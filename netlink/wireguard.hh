// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's WireGuard, over its generic netlink family (linux/wireguard.h).
#pragma once

#include <string_view>
#include <vector>

#include "agent/base/network.hh"
#include "agent/base/tunnel.hh"
#include "netlink/device.hh"
#include "netlink/message.hh"
#include "netlink/socket.hh"

namespace wigeon::netlink {

// One message of a change. All peers of it are in one attribute, whose length has 16
// bits.
inline constexpr size_t kSetBytes = 65'520;
// The least that still takes any peer with one allowed IP.
inline constexpr size_t kMinSetBytes = 320;

// WG_CMD_SET_DEVICE for a change, in as many messages as it takes, each filled. They
// must be sent in order: what replaces (the device's peers, a peer's allowed IPs) is said
// by the first message that names it, the others add to it. An empty change makes no
// message.
class SetEncoder {
 public:
  // The change must live as long.
  SetEncoder(uint16_t family, IfIndex link, const DeviceChange& change,
             size_t capacity = kSetBytes);

  // The next messages, at most so many; none behind the last.
  std::vector<Msg> next(size_t most);

 private:
  // The first thing that is not in a message yet.
  struct Cursor {
    size_t peer = 0;
    bool begun = false;  // this peer's own attributes went out, with an earlier message
    size_t allowed_ip = 0;
  };
  Msg message();
  void put_peers(nl_msg* m);
  bool put_peer(nl_msg* m, const PeerChange& p);

  uint16_t family_;
  IfIndex link_;
  const DeviceChange& change_;
  size_t capacity_;
  Cursor at_{};
  bool finished_;
};

// Sends a change, several messages at once; there are no more of them in memory than a
// send takes. Of many messages some may be in force after an error, also behind the one
// that was refused: observe again.
Result<void> set_device(Socket& s, uint16_t family, IfIndex link,
                        const DeviceChange& change);

// Puts the replies to WG_CMD_GET_DEVICE together. A peer whose allowed IPs did not fit
// one reply goes on in the next.
class DeviceDecoder {
 public:
  // False when malformed.
  [[nodiscard]] bool take(const Message& reply);
  [[nodiscard]] ObservedDevice finish() &&;

 private:
  ObservedDevice device_{};
};

class WireGuard {
 public:
  // ENOENT when the kernel has no WireGuard (its module is loaded when it can be).
  static Result<WireGuard> open();

  // ENODEV: no such link; EOPNOTSUPP: not a WireGuard link.
  Result<ObservedDevice> get(IfIndex link);
  Result<ObservedDevice> get(std::string_view name);
  // set_device() over our socket.
  Result<void> set(IfIndex link, const DeviceChange& change) {
    return set_device(socket_, family_, link, change);
  }

  [[nodiscard]] const Socket::Counters& counters() const { return socket_.counters(); }
  // WireGuard's number in generic netlink; another one after its module was loaded again.
  [[nodiscard]] uint16_t family() const { return family_; }

 private:
  WireGuard(Socket socket, uint16_t family)
      : socket_(std::move(socket)), family_(family) {}
  Result<ObservedDevice> get(nl_msg* request);

  Socket socket_;
  uint16_t family_;
};

}  // namespace wigeon::netlink
