// SPDX-License-Identifier: GPL-2.0-or-later
// c-ares for one upstream server. These are the only files that call it.
//
// c-ares 1.18 has one UDP socket for a channel and server, and a channel is 76 kB. So a
// channel holds all queries of a server, and its socket functions stand before real
// sockets, one for each query, which are not its own. It cannot be told to give up one
// query either, so that is done with a reply made here.
#pragma once

#include <ares.h>

#include <sys/socket.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "agent/base/loop.hh"
#include "dns/upstream_socket.hh"

namespace wigeon::dns {

using AresHandle = Owned<ares_channeldata, ares_destroy>;

class UdpChannel {
 public:
  struct Query {
    bool pending = false;  // c-ares has it; it stays where it is until then
    bool replied = false;
    uint16_t id = 0;  // between c-ares and us
  };
  static Result<std::unique_ptr<UdpChannel>> open(const Endpoint& server);

  // number: of no other pending query. Not pending afterwards: it could not be sent.
  void start(uint16_t number, Bytes datagram, UpstreamSocket& socket, Query& query);
  // datagram: a reply to this pending query, its id and rcode aside; changed and put
  // back, but for the id. Without one, c-ares gets a reply made of what was sent. The
  // query is not pending afterwards.
  void finish(Query& query, std::span<uint8_t> datagram);
  void give_up(Query& query, Bytes sent);

 private:
  friend struct UdpCalls;
  UdpChannel() = default;

  sockaddr_storage address_{};
  socklen_t address_size_ = 0;
  Bytes reply_{};
  UpstreamSocket* socket_ = nullptr;
  Bytes datagram_{};
  Query* query_ = nullptr;
  AresHandle channel_{};  // its end calls back
};

// A connection to the server, shared by queries; made when there is one to send.
class TcpChannel {
 public:
  // bytes: valid during the call; empty: the connection failed, or nothing came.
  using Ended = std::move_only_function<void(uint64_t ticket, Bytes reply)>;
  static Result<std::unique_ptr<TcpChannel>> open(Loop& loop, const Endpoint& server,
                                                  Ended ended);
  // May call ended before it returns.
  void send(Bytes query, uint64_t ticket);
  void check_timeouts();
  [[nodiscard]] size_t pending() const { return pending_; }

 private:
  friend struct TcpCalls;
  friend struct ScopedCalls;
  struct Query {
    TcpChannel* owner;
    uint64_t ticket;
  };
  struct End {
    uint64_t ticket;
    std::vector<uint8_t> reply;
  };
  TcpChannel(Loop& loop, const Endpoint& server, Ended ended)
      : loop_(loop), server_(server), ended_(std::move(ended)) {}
  void process(ares_socket_t readable, ares_socket_t writable);
  void deliver();

  Loop& loop_;
  Endpoint server_;
  Ended ended_;
  std::vector<End> ends_{};  // told once c-ares has returned
  size_t pending_ = 0;
  std::unordered_map<int, Loop::Watch> sockets_{};
  AresHandle channel_{};  // its end calls back
};

}  // namespace wigeon::dns
