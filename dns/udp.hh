// SPDX-License-Identifier: GPL-2.0-or-later
// One UDP listener. Datagrams are taken by the batch; a reply leaves from the address the
// query was sent to (IP_PKTINFO), whatever the socket is bound to.
#pragma once

#include <sys/socket.h>

#include <memory>

#include "agent/base/loop.hh"
#include "dns/service.hh"

namespace wigeon::dns {

class UdpListener {
 public:
  // fd: a bound UDP socket, IPv4 or IPv6 only.
  static Result<std::unique_ptr<UdpListener>> open(Loop& loop, Service& service,
                                                   UniqueFd fd, const Endpoint& endpoint);
  ~UdpListener();
  [[nodiscard]] const ListenerStatistics& statistics() const { return statistics_; }

 private:
  struct Batch;
  struct Peer;  // where a reply goes and where it leaves from
  UdpListener(Service& service, UniqueFd fd, const Endpoint& endpoint);
  void ready();
  void receive();
  void fetch_ahead();
  bool take(size_t i, size_t place, Service::Time now);
  void send(size_t replies);
  void send_later(const Peer& peer, Bytes reply);

  Service& service_;
  UniqueFd fd_;
  std::unique_ptr<Batch> batch_;
  ListenerStatistics statistics_{};
  // Replies that come later find out by this whether the listener still exists.
  std::shared_ptr<UdpListener*> self_ = std::make_shared<UdpListener*>(this);
  Loop::Watch watch_{};
};

}  // namespace wigeon::dns
