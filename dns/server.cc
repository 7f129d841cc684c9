// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/server.hh"

#include <algorithm>

namespace wigeon::dns {
namespace {

// How late a forwarded query may be found to have timed out.
constexpr std::chrono::milliseconds kTick{200};

}  // namespace

Result<void> Server::check(const ListenerChange& change) const {
  const auto now = listening().listeners;
  for (const auto& k : change.keep)
    if (std::ranges::count(now, k) == 0)
      return fail(ENOENT, "nothing to keep at " + k.endpoint.text());
  for (const auto& s : change.open)
    if (std::ranges::count(change.keep, s.info()) != 0)
      return fail(EEXIST, s.endpoint.text() + " comes twice");
  return {};
}

Result<void> Server::listen(ListenerChange change) {
  TRY(check(change));
  const auto replies_after = [&](UniqueFd& fresh, const SharedFd& old) {
    return fresh ? std::make_shared<const UniqueFd>(std::move(fresh))
                 : (change.keep_replies ? old : nullptr);
  };
  const auto v4 = replies_after(change.replies.v4, reply_v4_);
  const auto v6 = replies_after(change.replies.v6, reply_v6_);
  const auto replies = [&](const Endpoint& e) { return e.address.is_v4() ? v4 : v6; };
  const auto stays = [&](Transport t, const Endpoint& e) {
    return std::ranges::count(change.keep, ListenerInfo{t, e}) != 0;
  };
  UdpListeners udp;
  TcpServer::Listeners tcp;
  for (auto& s : change.open) {
    if (s.transport == Transport::udp)
      udp.push_back(TRY(UdpListener::open(loop_, service_, std::move(s.fd), s.endpoint,
                                          replies(s.endpoint))));
    else
      tcp.push_back(TcpServer::prepare(std::move(s.fd), s.endpoint));
  }
  TRY(tcp_.change(std::move(tcp),
                  [&](const Endpoint& e) { return stays(Transport::tcp, e); }));
  // Nothing fails from here on.
  reply_v4_ = v4;
  reply_v6_ = v6;
  const auto now = service_.now();
  for (auto& l : std::exchange(udp_, std::move(udp))) {
    const auto& endpoint = l->statistics().endpoint;
    if (stays(Transport::udp, endpoint)) {
      l->set_reply_socket(replies(endpoint));
      udp_.push_back(std::move(l));
    } else {
      leaving_.push_back({std::move(l), now});
    }
  }
  return {};
}

void Server::let_go(Service::Time now) {
  std::erase_if(leaving_, [&](auto& l) {
    if (now - l.since < kTick) return false;
    l.listener->read_all();
    return !l.listener->is_owed() || now - l.since > kForwardTimeout + kTick;
  });
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

Listening Server::listening() const {
  Listening l{.reply_v4 = reply_v4_ != nullptr, .reply_v6 = reply_v6_ != nullptr};
  for (const auto& s : statistics().listeners)
    l.listeners.push_back({s.transport, s.endpoint});
  return l;
}

std::vector<Endpoint> Server::endpoints() const {
  std::vector<Endpoint> all;
  for (const auto& l : udp_) all.push_back(l->statistics().endpoint);
  for (const auto& l : tcp_.listeners()) all.push_back(l.endpoint);
  return all;
}

Result<void> Server::start() {
  timer_ = TRY(loop_.after(kTick, [this] {
    service_.expire(service_.now());
    let_go(service_.now());
    (void)timer_.restart(kTick);  // fails only without a loop
  }));
  return {};
}

}  // namespace wigeon::dns
