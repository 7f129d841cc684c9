// SPDX-License-Identifier: GPL-2.0-or-later
// A UDP socket that has another source port for each query.
//
// A new socket for each query costs 8.8 us of CPU time (socket, connect, epoll_ctl,
// close). Taking the peer address away from one whose port the kernel chose also takes
// the port (connect(2), AF_UNSPEC); connecting it again makes the kernel choose another,
// at random from its ephemeral range: 2.4 us for both and for reading the queue empty.
// Between two queries it has no port, so there is nothing to be found or filled ahead.
#pragma once

#include <optional>

#include "agent/base/ip.hh"
#include "agent/base/owned.hh"
#include "agent/base/result.hh"
#include "dns/name.hh"

namespace wigeon::dns {

class UpstreamSocket {
 public:
  // Events of it are edge-triggered and carry `number`.
  static Result<UpstreamSocket> open(Family family, int epoll, uint32_t number);

  // Takes a port. The server's datagrams, and nobody else's, come in from now on.
  Result<void> connect(const sockaddr_storage& server, socklen_t size);
  // False when there is no way to the server; a full queue counts as a lost datagram.
  bool send(Bytes datagram);
  // The next datagram, at most `out` of it; its whole size. EAGAIN: none is there.
  Result<size_t> receive(std::span<uint8_t> out);
  // Gives the port back, with all that has come in. False: the socket is of no use now.
  bool disconnect();
  [[nodiscard]] bool is_connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit UpstreamSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  bool connected_ = false;
};

}  // namespace wigeon::dns
