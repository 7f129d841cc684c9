// SPDX-License-Identifier: GPL-2.0-or-later
// One UDP listener. Datagrams are taken by the batch; a reply leaves from the address the
// query was sent to (IP_PKTINFO), whatever the socket is bound to. From another port than
// the socket's when the query was for that one and was steered to us (sk_lookup); then
// the reply goes by the reply socket (dns/reply_sockets.hh), and only from addresses of
// our own.
#pragma once

#include <sys/socket.h>

#include <memory>

#include "agent/base/loop.hh"
#include "dns/service.hh"

namespace wigeon::dns {

using SharedFd = std::shared_ptr<const UniqueFd>;

class UdpListener {
 public:
  // fd: of open_listeners(). replies: of its family; without one, steered queries get no
  // reply.
  static Result<std::unique_ptr<UdpListener>> open(Loop& loop, Service& service,
                                                   UniqueFd fd, const Endpoint& endpoint,
                                                   SharedFd replies);
  ~UdpListener();

  [[nodiscard]] const ListenerStatistics& statistics() const { return statistics_; }
  // What is queued is answered by the one there was.
  void set_reply_socket(SharedFd replies);
  // Answers what is queued. More than a queue can hold is left for later.
  void read_all();
  // The service asked something for it, and may have a reply yet.
  [[nodiscard]] bool is_owed() const { return self_.use_count() > 1; }

 private:
  struct Batch;
  struct Out;
  struct Peer;  // where a reply goes and where it leaves from
  UdpListener(Service& service, UniqueFd fd, const Endpoint& endpoint, SharedFd replies);
  bool ready();
  void fetch_ahead();
  void take(size_t i, Service::Time now);
  void send(int fd, std::span<mmsghdr> messages, std::span<Out* const> outs);
  bool send_one(int fd, const Peer& to, Bytes reply);
  void send_later(int fd, const Peer& to, Bytes reply);

  Service& service_;
  UniqueFd fd_;
  SharedFd replies_;
  std::unique_ptr<Batch> batch_;
  ListenerStatistics statistics_{};
  // Replies that come later find out by this whether the listener still exists.
  std::shared_ptr<UdpListener*> self_ = std::make_shared<UdpListener*>(this);
  Loop::Watch watch_{};
};

}  // namespace wigeon::dns
