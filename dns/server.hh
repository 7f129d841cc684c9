// SPDX-License-Identifier: GPL-2.0-or-later
// All listeners of the resolver and the timer of its forwarded queries. Sockets come from
// the parent, bound; nothing here binds.
//
// A listener that is to go serves on until nothing is lost by its end: UDP for a moment,
// and as long as a reply is owed (kForwardTimeout at most); TCP for kHandshake.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/loop.hh"
#include "dns/listener_change.hh"
#include "dns/tcp.hh"
#include "dns/udp.hh"

namespace wigeon::dns {

class Server {
 public:
  Server(Loop& loop, Service& service, TcpLimits limits = {})
      : loop_(loop), service_(service), tcp_(loop, service, limits) {}

  // ENOENT: what is to be kept is not there; EEXIST: what is opened is. On failure
  // nothing changes. TCP connections stay in any case.
  Result<void> listen(ListenerChange change);
  // With what it does not listen on any more left out.
  [[nodiscard]] Statistics statistics() const;
  [[nodiscard]] Listening listening() const;
  [[nodiscard]] std::vector<Endpoint> endpoints() const;
  // Starts the timer of replies that do not come.
  Result<void> start();

 private:
  using UdpListeners = std::vector<std::unique_ptr<UdpListener>>;
  struct Leaving {
    std::unique_ptr<UdpListener> listener{};
    Service::Time since{};
  };
  Result<void> check(const ListenerChange& change) const;
  void let_go(Service::Time now);

  Loop& loop_;
  Service& service_;
  SharedFd reply_v4_{}, reply_v6_{};
  UdpListeners udp_{};
  std::vector<Leaving> leaving_{};
  TcpServer tcp_;
  Loop::Watch timer_{};
};

}  // namespace wigeon::dns
