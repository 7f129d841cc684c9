// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/tcp.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "dns/framing.hh"

namespace wigeon::dns {
namespace {

constexpr size_t kReadSize = 4096;
constexpr std::chrono::milliseconds kSweep{250};
// How many connections one wake-up accepts, so that a flood of them does not hold up UDP.
constexpr int kAcceptBatch = 16;
// More than it takes to empty a full queue (dns/listeners.cc).
constexpr int kLastBatches = 16;

// The interface that the connection's first packet came in by; 0 when it is not known.
uint32_t arrival_interface(int fd, const Address& client) {
  const bool v4 = client.is_v4();
  alignas(cmsghdr) std::byte control[256];
  socklen_t size = sizeof control;
  if (::getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
                   v4 ? IP_PKTOPTIONS : IPV6_2292PKTOPTIONS, control, &size) != 0)
    return 0;
  msghdr m{};
  m.msg_control = control;
  m.msg_controllen = size;
  for (auto* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    in_pktinfo info4;
    in6_pktinfo info6;
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      std::memcpy(&info4, CMSG_DATA(c), sizeof info4);
      return static_cast<uint32_t>(info4.ipi_ifindex);
    }
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      std::memcpy(&info6, CMSG_DATA(c), sizeof info6);
      return info6.ipi6_ifindex;
    }
  }
  return 0;
}

}  // namespace

struct TcpServer::Listener : std::enable_shared_from_this<Listener> {
  UniqueFd fd{};
  ListenerStatistics statistics{};
  std::chrono::microseconds leaves_at{};  // of one that is to go
  Loop::Watch watch{};
};

struct TcpServer::Connection {
  uint64_t id = 0;
  Address client{};
  Asker asker = Asker::peer;
  std::shared_ptr<Listener> listener{};
  UniqueFd fd{};
  Framer in{};
  std::vector<uint8_t> out{};
  size_t sent = 0;
  size_t waiting = 0;                  // queries whose reply comes later
  bool ended = false;                  // the client sends no more
  std::chrono::microseconds active{};  // last whole message or byte taken
  std::chrono::microseconds deadline{};
  uint32_t events = 0;
  Loop::Watch watch{};

  [[nodiscard]] size_t unsent() const { return out.size() - sent; }
  [[nodiscard]] bool idle() const { return waiting == 0 && unsent() == 0; }
};

TcpServer::TcpServer(Loop& loop, Service& service, TcpLimits limits)
    : loop_(loop), service_(service), limits_(limits) {}

TcpServer::~TcpServer() { *self_ = nullptr; }

std::shared_ptr<TcpServer::Listener> TcpServer::prepare(UniqueFd fd,
                                                        const Endpoint& endpoint) {
  auto listener = std::make_shared<Listener>();
  listener->fd = std::move(fd);
  listener->statistics.transport = Transport::tcp;
  listener->statistics.endpoint = endpoint;
  return listener;
}

Result<void> TcpServer::change(Listeners fresh,
                               const std::function<bool(const Endpoint&)>& keep) {
  for (auto& l : fresh)
    l->watch = TRY(loop_.watch(l->fd.get(), paused_ ? 0u : EPOLLIN,
                               [this, l = l.get()](uint32_t) { accept(*l); }));
  const auto now = Loop::now();
  for (auto& l : std::exchange(listeners_, std::move(fresh))) {
    const bool stays = keep(l->statistics.endpoint);
    if (!stays) l->leaves_at = now + kHandshake;
    (stays ? listeners_ : leaving_).push_back(std::move(l));
  }
  if (!leaving_.empty()) keep_sweeping();
  return {};
}

// Closes the listeners whose time has come, once nobody is waiting in them.
void TcpServer::let_go(std::chrono::microseconds now) {
  const auto is_due = [&](const auto& l) { return l->leaves_at <= now; };
  for (auto& l : leaving_)
    if (is_due(l))
      for (int i = 0; i < kLastBatches && accept(*l); ++i) continue;
  std::erase_if(leaving_, [&](auto& l) {
    if (!is_due(l)) return false;
    l->watch.reset();
    l->fd.reset();  // connections share the rest
    return true;
  });
}

void TcpServer::watch_listeners(uint32_t events) {
  paused_ = events == 0;
  for (auto* list : {&listeners_, &leaving_})
    for (auto& l : *list) (void)l->watch.change(events);  // fails only without a loop
}

std::vector<ListenerStatistics> TcpServer::listeners() const {
  std::vector<ListenerStatistics> all;
  for (const auto& l : listeners_) all.push_back(l->statistics);
  return all;
}

// Closes the connection that has been idle longest when one more would be too many.
bool TcpServer::make_room(const Address& client) {
  const auto oldest_idle = [&](auto counts) -> Connection* {
    Connection* oldest = nullptr;
    for (auto& [id, c] : connections_)
      if (counts(*c) && c->idle() && (!oldest || c->active < oldest->active))
        oldest = c.get();
    return oldest;
  };
  const auto room = [&](size_t have, size_t limit, auto counts) {
    if (have < limit) return true;
    Connection* oldest = oldest_idle(counts);
    if (!oldest) return false;
    ++closed_for_room_;
    close(oldest->id);
    return true;
  };
  const auto of_client = [&](const Connection& c) { return c.client == client; };
  const auto mine = static_cast<size_t>(std::ranges::count_if(
      connections_, [&](auto& entry) { return of_client(*entry.second); }));
  return room(mine, limits_.per_client, of_client) &&
         room(connections_.size(), limits_.connections, [](auto&) { return true; });
}

// True when more may be waiting.
bool TcpServer::accept(Listener& listener) {
  for (int i = 0; i < kAcceptBatch; ++i) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    UniqueFd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&storage), &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // The loop would spin on the waiting connection.
        watch_listeners(0);
        keep_sweeping();
      }
      return errno == ECONNABORTED;
    }
    const auto source = from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
    const auto& access = service_.access();
    const uint32_t interface = source && !access.interfaces.empty()
                                   ? arrival_interface(fd.get(), source->address)
                                   : 0;
    const auto asker =
        source ? who_asks(access, *source, interface) : std::optional<Asker>{};
    if (!asker) {
      ++listener.statistics.refused;
      continue;
    }
    if (!make_room(source->address)) continue;
    const int on = 1;
    (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on,
                       sizeof on);  // only slower
    auto c = std::make_unique<Connection>();
    c->id = next_++;
    c->client = source->address;
    c->asker = *asker;
    c->listener = listener.shared_from_this();
    c->fd = std::move(fd);
    c->active = Loop::now();
    c->deadline = c->active + limits_.first_message;
    c->events = EPOLLIN;
    auto watch =
        loop_.watch(c->fd.get(), EPOLLIN,
                    [this, raw = c.get()](uint32_t events) { ready(*raw, events); });
    if (!watch) continue;  // out of memory: the client sees its connection closed
    c->watch = std::move(*watch);
    ++accepted_;
    connections_.emplace(c->id, std::move(c));
    keep_sweeping();
  }
  return true;
}

void TcpServer::ready(Connection& c, uint32_t events) {
  // HUP: both directions are closed, nobody is left to reply to.
  if ((events & (EPOLLERR | EPOLLHUP)) || ((events & EPOLLIN) && !c.ended && !read(c)))
    return close(c.id);
  work(c);
}

// False when the connection is broken.
bool TcpServer::read(Connection& c) {
  const auto space = c.in.space(kReadSize);
  const ssize_t n = ::recv(c.fd.get(), space.data(), space.size(), MSG_DONTWAIT);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) c.ended = true;
  c.in.commit(static_cast<size_t>(n));
  return true;
}

// Answers what has arrived, as far as the limits allow, and sends what can be sent.
void TcpServer::work(Connection& c) {
  const auto may_take = [&] {
    return c.waiting < limits_.pipelined && c.unsent() < limits_.unsent;
  };
  std::optional<Bytes> message;
  if (c.in.has_message()) c.active = Loop::now();
  do {
    // TCP has no reply to "later"; a peer that asks too often sees its connection end.
    while (may_take() && (message = c.in.next()))
      if (!take(c, *message)) return close(c.id);
    if (!flush(c)) return close(c.id);
    // Messages that were held back by unsent replies have no event of their own.
  } while (may_take() && c.in.has_message());
  settle(c);
}

// False when the client asks too often.
bool TcpServer::take(Connection& c, Bytes message) {
  if (!service_.may_ask_now(c.asker, c.client, c.active)) {
    ++c.listener->statistics.refused;
    return false;
  }
  ++c.listener->statistics.queries;
  c.deadline = c.active + limits_.idle;
  const auto a = service_.handle(message, Transport::tcp, c.asker);
  if (a.kind == Answer::Kind::reply) {
    append_framed(c.out, service_.reply(a));
    ++c.listener->statistics.replies;
  }
  if (a.kind != Answer::Kind::ask) return true;
  ++c.waiting;
  // The reply may come before ask() returns; then the caller goes on with it.
  const auto inside = std::make_shared<bool>(true);
  service_.ask(c.active, c.client, [self = self_, id = c.id, inside](Bytes reply) {
    if (!*self) return;
    const auto at = (*self)->connections_.find(id);
    if (at == (*self)->connections_.end()) return;
    Connection& to = *at->second;
    --to.waiting;
    ++to.listener->statistics.replies;
    append_framed(to.out, reply);
    if (!*inside) (*self)->work(to);
  });
  *inside = false;
  return true;
}

bool TcpServer::flush(Connection& c) {
  while (c.unsent() > 0) {
    const ssize_t n = ::send(c.fd.get(), c.out.data() + c.sent, c.unsent(),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    c.sent += static_cast<size_t>(n);
    c.active = Loop::now();
    c.deadline = c.active + limits_.idle;
  }
  c.out.clear();
  c.sent = 0;
  if (c.out.capacity() > limits_.unsent) c.out.shrink_to_fit();
  return true;
}

// What to wait for next, or the end.
void TcpServer::settle(Connection& c) {
  if (c.ended && c.idle()) return close(c.id);
  uint32_t events = 0;
  if (!c.ended && c.waiting < limits_.pipelined && c.unsent() < limits_.unsent)
    events |= EPOLLIN;
  if (c.unsent() > 0) events |= EPOLLOUT;
  if (events == c.events) return;
  if (!c.watch.change(events)) return close(c.id);
  c.events = events;
}

void TcpServer::close(uint64_t id) { connections_.erase(id); }

void TcpServer::keep_sweeping() {
  if (sweeping_) return;
  auto tick = [this] { sweep(); };
  if (!sweeper_) {
    if (auto timer = loop_.after(kSweep, tick)) sweeper_ = std::move(*timer);
  } else {
    (void)sweeper_.restart(kSweep);  // fails only without a loop
  }
  sweeping_ = true;
}

void TcpServer::sweep() {
  sweeping_ = false;
  const auto now = Loop::now();
  // A query on its way upstream ends by itself; only then the client is late.
  std::erase_if(connections_, [&](auto& entry) {
    return entry.second->waiting == 0 && entry.second->deadline <= now;
  });
  if (paused_) watch_listeners(EPOLLIN);
  let_go(now);
  if (!connections_.empty() || !leaving_.empty()) keep_sweeping();
}

}  // namespace wigeon::dns
