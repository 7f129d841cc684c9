// SPDX-License-Identifier: GPL-2.0-or-later
// TCP listeners and their connections (RFC 7766): pipelined queries, replies in the order
// they become ready. Clients that are slow, greedy or silent cost a bounded amount of
// memory and never hold up others.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "agent/base/loop.hh"
#include "dns/service.hh"

namespace wigeon::dns {

// A client whose connection began before its listener was to go gets this far.
inline constexpr std::chrono::seconds kHandshake{1};

struct TcpLimits {
  size_t connections = 128;
  size_t per_client = 16;
  size_t pipelined = 100;  // queries of one connection without a reply yet
  // Reply bytes that the client has not taken; then we stop reading.
  size_t unsent = size_t{64} << 10;
  std::chrono::milliseconds first_message{3000};
  std::chrono::milliseconds idle{10000};
};

class TcpServer {
 public:
  TcpServer(Loop& loop, Service& service, TcpLimits limits = {});
  ~TcpServer();

  // fd: of open_listeners(). Nothing is accepted before change() is given the listener.
  struct Listener;
  using Listeners = std::vector<std::shared_ptr<Listener>>;
  static std::shared_ptr<Listener> prepare(UniqueFd fd, const Endpoint& endpoint);
  // Accepts on the fresh ones too, and on those it has that keep says yes to. The others
  // go when nobody has been waiting in them for kHandshake. Connections stay. On failure
  // nothing changes.
  Result<void> change(Listeners fresh, const std::function<bool(const Endpoint&)>& keep);

  [[nodiscard]] std::vector<ListenerStatistics> listeners() const;
  [[nodiscard]] size_t open() const { return connections_.size(); }
  [[nodiscard]] uint64_t accepted() const { return accepted_; }
  [[nodiscard]] uint64_t closed_for_room() const { return closed_for_room_; }

 private:
  struct Connection;
  bool accept(Listener& listener);
  void let_go(std::chrono::microseconds now);
  void watch_listeners(uint32_t events);
  bool make_room(const Address& client);
  void ready(Connection& c, uint32_t events);
  bool read(Connection& c);
  void work(Connection& c);
  bool take(Connection& c, Bytes message);
  bool flush(Connection& c);
  void settle(Connection& c);
  void close(uint64_t id);
  void sweep();
  void keep_sweeping();

  Loop& loop_;
  Service& service_;
  TcpLimits limits_;
  Listeners listeners_{};  // shared with the connections, which count for them
  Listeners leaving_{};
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  uint64_t next_ = 1;
  uint64_t accepted_ = 0;
  uint64_t closed_for_room_ = 0;
  bool paused_ = false;  // out of file descriptors: no accept until the next sweep
  std::shared_ptr<TcpServer*> self_ = std::make_shared<TcpServer*>(this);
  Loop::Watch sweeper_{};
  bool sweeping_ = false;
};

}  // namespace wigeon::dns
