// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/server.hh"

namespace wigeon::dns {
namespace {

// How late a forwarded query may be found to have timed out.
constexpr std::chrono::milliseconds kTick{200};

}  // namespace

Result<void> Server::listen(ListenerSockets sockets) {
  std::vector<std::unique_ptr<UdpListener>> udp;
  TcpServer::Listeners tcp;
  for (auto& s : sockets) {
    if (s.transport == Transport::udp)
      udp.push_back(TRY(UdpListener::open(loop_, service_, std::move(s.fd), s.endpoint)));
    else
      tcp.push_back(TcpServer::prepare(std::move(s.fd), s.endpoint));
  }
  TRY(tcp_.start(std::move(tcp)));
  udp_ = std::move(udp);
  return {};
}

Statistics Server::statistics() const {
  Statistics s = service_.statistics();
  for (const auto& l : udp_) s.listeners.push_back(l->statistics());
  for (const auto& l : tcp_.listeners()) s.listeners.push_back(l);
  s.tcp_open = tcp_.open();
  s.tcp_accepted = tcp_.accepted();
  s.tcp_closed_for_room = tcp_.closed_for_room();
  return s;
}

std::vector<Endpoint> Server::endpoints() const {
  std::vector<Endpoint> all;
  for (const auto& l : udp_) all.push_back(l->statistics().endpoint);
  for (const auto& l : tcp_.listeners()) all.push_back(l.endpoint);
  return all;
}

Result<void> Server::start() {
  timer_ = TRY(loop_.after(kTick, [this] {
    service_.expire(Loop::now());
    (void)timer_.restart(kTick);  // fails only without a loop
  }));
  return {};
}

}  // namespace wigeon::dns
