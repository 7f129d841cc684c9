// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/upstream.hh"

#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>

#include "dns/upstream_flight.hh"

namespace wigeon::dns {
namespace {

using namespace std::chrono_literals;

constexpr auto kRemember = 10min;  // what a server cannot do
constexpr size_t kOtherFiles = 256;
constexpr size_t kLeastQueries = 64;
constexpr size_t kMaxOthers = 16;  // connections of a server besides the shared one
constexpr int kEvents = 64;

size_t index_of(Family family) { return family == Family::v4 ? 0 : 1; }

}  // namespace

Result<std::unique_ptr<Upstream>> Upstream::open(Loop& loop) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return fail_errno("getrlimit");
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return fail_errno("epoll_create1");
  const size_t room = files.rlim_cur > kOtherFiles ? files.rlim_cur - kOtherFiles : 0;
  const size_t most = std::clamp(room, kLeastQueries, kMaxUpstreamQueries);
  std::unique_ptr<Upstream> up(new Upstream(loop, std::move(epoll), most));
  auto* self = up.get();
  up->watch_ =
      TRY(loop.watch(self->epoll_.get(), EPOLLIN, [self](uint32_t) { self->ready(); }));
  up->ticker_ = TRY(loop.timer([self] { self->tick(); }));
  return up;
}

Upstream::Upstream(Loop& loop, UniqueFd epoll, size_t most)
    : loop_(loop), epoll_(std::move(epoll)), most_(most), datagram_(kUdpPayload + 1) {}

Upstream::~Upstream() = default;

size_t Upstream::sockets() const {
  return static_cast<size_t>(
      std::ranges::count_if(flights_, [](auto& f) { return f && f->socket; }));
}

Result<void> Upstream::set_servers(std::span<const Endpoint> servers) {
  std::map<Endpoint, std::unique_ptr<Server>> next;
  for (const auto& e : servers) {
    if (next.contains(e)) continue;
    if (auto known = servers_.extract(e))
      next.insert(std::move(known));
    else
      next.emplace(e, std::make_unique<Server>(e));
  }
  for (auto& [endpoint, server] : servers_) retired_.push_back(std::move(server));
  servers_ = std::move(next);
  keep_ticking();
  return {};
}

// A place for a query to this server, with a socket of the right family if there is one.
Upstream::Flight* Upstream::take(Server& server) {
  if (in_flight_ >= most_ || server.in_flight >= most_ / 4 * 3) return nullptr;
  const size_t family = index_of(server.endpoint.address.family());
  size_t number = flights_.size();
  Free* from = nullptr;
  if (!free_[family].numbers.empty())
    from = &free_[family];
  else if (number >= most_)
    from = &free_[1 - family];
  if (from) {
    number = from->numbers.back();
    from->numbers.pop_back();
    from->least = std::min(from->least, from->numbers.size());
    if (auto& f = flights_[number]; f && from != &free_[family]) f->socket.reset();
  } else {
    flights_.emplace_back();
  }
  auto& flight = flights_[number];
  if (!flight) {
    flight = std::make_unique<Flight>();
    flight->number = static_cast<uint16_t>(number);
  }
  flight->serial = ++serial_;
  flight->server = &server;
  flight->mismatches = 0;
  flight->tcp = flight->alone = flight->plain = flight->unmixed = false;
  ++in_flight_;
  ++server.in_flight;
  return flight.get();
}

void Upstream::send(const Endpoint& server, Bytes query, Transport first,
                    std::chrono::milliseconds limit, Done done) {
  const auto at = servers_.find(server);
  Flight* f = at == servers_.end() ? nullptr : take(*at->second);
  if (!f) {
    if (at != servers_.end()) ++statistics_.full;
    return done({Outcome::End::unreachable, {}});
  }
  ++statistics_.queries;
  f->done = std::move(done);
  f->server->used = Loop::now();
  f->deadline = f->server->used + limit;
  keep_ticking();
  if (!f->query.set(query)) return end(*f, {Outcome::End::unreachable, {}});
  first == Transport::tcp ? ask_tcp(*f) : ask_udp(*f);
}

void Upstream::ask_udp(Flight& f) {
  Server& s = *f.server;
  const Outcome failed{Outcome::End::unreachable, {}};
  if (!s.udp) {
    if (auto channel = UdpChannel::open(s.endpoint)) s.udp = std::move(*channel);
    if (!s.udp) return end(f, failed);
  }
  if (!f.socket) {
    auto socket =
        UpstreamSocket::open(s.endpoint.address.family(), epoll_.get(), f.number);
    if (!socket) return end(f, failed);
    f.socket.emplace(std::move(*socket));
  }
  if (!f.socket->connect(s.address, s.size)) return end(f, failed);
  const Time now = Loop::now();
  f.repeat_at = now + (f.deadline - now) / 3;
  f.query.shape({.id = random_.u16(),
                 .with_opt = !f.plain && s.plain_until <= now,
                 .mixed = !f.unmixed && s.unmixed_until <= now},
                random_);
  s.udp->start(f.number, f.query.sent(), *f.socket, f.kept);
  if (!f.kept.pending) end(f, failed);
}

// The port is closed, and c-ares lets go of the query.
void Upstream::leave_udp(Flight& f) {
  if (f.socket && !f.socket->disconnect()) f.socket.reset();
  if (f.kept.pending) f.server->udp->give_up(f.kept, f.query.sent());
}

// The server's shared one, or a new one.
TcpChannel* Upstream::connection(Flight& f) {
  Server& s = *f.server;
  if (!f.alone && s.tcp) return s.tcp.get();
  if (f.alone && s.others.size() >= kMaxOthers) return nullptr;
  auto made = TcpChannel::open(loop_, s.endpoint, [this](uint64_t ticket, Bytes reply) {
    on_tcp_end(ticket, reply);
  });
  if (!made) return nullptr;
  if (!f.alone) return (s.tcp = std::move(*made)).get();
  return s.others.emplace_back(std::move(*made)).get();
}

void Upstream::ask_tcp(Flight& f) {
  leave_udp(f);
  f.tcp = true;
  TcpChannel* channel = connection(f);
  if (!channel) return end(f, {Outcome::End::unreachable, {}});
  const bool with_opt = !f.plain && f.server->plain_until <= Loop::now();
  f.query.shape({.id = random_.u16(), .with_opt = with_opt}, random_);
  channel->send(f.query.sent(), f.serial << 16 | f.number);
}

void Upstream::on_tcp_end(uint64_t ticket, Bytes reply) {
  const auto number = ticket & 0xffff;
  if (number >= flights_.size() || !flights_[number]) return;
  Flight& f = *flights_[number];
  if (f.serial != ticket >> 16 || !f.tcp) return;
  if (reply.empty() && !f.alone) {
    // Servers close a connection when they like, also for the sake of another query.
    f.alone = true;
    return ask_tcp(f);
  }
  const Match match = reply.empty() ? Match::mismatch : f.query.match(reply);
  if (match == Match::no_edns) {
    ++statistics_.without_edns;
    f.plain = true;
    return ask_tcp(f);
  }
  if (match != Match::reply && match != Match::truncated)
    return end(f, {Outcome::End::unreachable, {}});
  std::vector<uint8_t> restored(reply.begin(), reply.end());
  f.query.restore(restored);
  learn(f, restored);
  end(f, {Outcome::End::replied, restored});
}

void Upstream::ready() {
  std::array<epoll_event, kEvents> events;
  const int n = ::epoll_wait(epoll_.get(), events.data(), kEvents, 0);
  for (int i = 0; i < n; ++i) {
    const auto& f = flights_[events[static_cast<size_t>(i)].data.u32];
    if (f && f->is_on_udp()) receive(*f);
  }
}

void Upstream::receive(Flight& f) {
  const uint64_t serial = f.serial;
  // Edge-triggered: until nothing is left, or the query has moved on.
  while (f.is_on_udp() && f.serial == serial && f.socket && f.socket->is_connected()) {
    const auto size = f.socket->receive(datagram_);
    if (size) {
      on_datagram(f, std::span(datagram_).first(std::min(*size, datagram_.size())));
      continue;
    }
    if (size.error().code == EINTR) continue;
    if (size.error().code != EAGAIN) end(f, {Outcome::End::unreachable, {}});
    return;
  }
}

void Upstream::on_datagram(Flight& f, std::span<uint8_t> datagram) {
  Match match = f.query.match(datagram);
  // Larger than we said we take: in fragments, which are easier to forge.
  if (match == Match::reply && datagram.size() > kUdpPayload) match = Match::truncated;
  switch (match) {
    case Match::mismatch:
      ++statistics_.mismatches;
      if (++f.mismatches <= kMaxMismatches) return;
      ++statistics_.suspicions;
      return ask_tcp(f);
    case Match::truncated:
      ++statistics_.truncated;
      return ask_tcp(f);
    case Match::no_edns:
      ++statistics_.without_edns;
      f.plain = true;
      break;
    case Match::other_case:
      ++statistics_.without_case;
      f.unmixed = true;
      break;
    case Match::reply:
      f.server->udp->finish(f.kept, datagram);
      if (!f.kept.replied) return end(f, {Outcome::End::unreachable, {}});
      f.query.restore(datagram);
      learn(f, datagram);
      return end(f, {Outcome::End::replied, datagram});
  }
  leave_udp(f);
  ask_udp(f);
}

// What was left out is left out from now on, if that was what the server minded.
void Upstream::learn(Flight& f, Bytes reply) {
  if (!f.plain && !f.unmixed) return;
  const Time until = Loop::now() + kRemember;
  const uint16_t code = reply[3] & flag::kRcode;
  if (f.plain && code != rcode::kFormErr && code != rcode::kNotImp)
    f.server->plain_until = until;
  if (f.unmixed) f.server->unmixed_until = until;
}

void Upstream::count(Outcome::End end) {
  switch (end) {
    case Outcome::End::replied:
      ++statistics_.replies;
      break;
    case Outcome::End::no_reply:
      ++statistics_.timeouts;
      break;
    case Outcome::End::unreachable:
      ++statistics_.unreachable;
      break;
  }
}

void Upstream::end(Flight& f, const Outcome& outcome) {
  leave_udp(f);
  count(outcome.end);
  Done done = std::move(f.done);
  f.serial = 0;
  --f.server->in_flight;
  --in_flight_;
  free_[index_of(f.server->endpoint.address.family())].numbers.push_back(f.number);
  done(outcome);
}

}  // namespace wigeon::dns
