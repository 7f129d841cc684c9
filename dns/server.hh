// SPDX-License-Identifier: GPL-2.0-or-later
// All listeners of the resolver and the timer of its forwarded queries. Sockets come from
// the parent, bound; nothing here binds.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/loop.hh"
#include "dns/listeners.hh"
#include "dns/tcp.hh"
#include "dns/udp.hh"

namespace wigeon::dns {

class Server {
 public:
  Server(Loop& loop, Service& service, TcpLimits limits = {})
      : loop_(loop), service_(service), tcp_(loop, service, limits) {}

  // Replaces the listeners: the old ones serve until all new ones work, and stay on
  // failure. TCP connections stay.
  Result<void> listen(ListenerSockets sockets);
  [[nodiscard]] Statistics statistics() const;
  [[nodiscard]] std::vector<Endpoint> endpoints() const;
  // Starts the timer of replies that do not come.
  Result<void> start();

 private:
  Loop& loop_;
  Service& service_;
  std::vector<std::unique_ptr<UdpListener>> udp_{};
  TcpServer tcp_;
  Loop::Watch timer_{};
};

}  // namespace wigeon::dns
