// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/udp.hh"

#include <netinet/in.h>

#include <array>

#include "dns/arrival.hh"
#include "dns/quick.hh"
#include "dns/truncate.hh"
#include "dns/udp_header.hh"

namespace wigeon::dns {
namespace {

constexpr size_t kBatch = 64;
// Zones beyond this do not stay in the CPU's caches.
constexpr size_t kCached = size_t{1} << 20;
// Longer queries do not exist in practice; a longer datagram is cut off and dropped.
constexpr size_t kMaxQuery = 2048;

// More rounds than it takes to empty a full receive buffer (dns/listeners.cc).
constexpr int kMaxRounds = 256;

// What a message points to. A steered reply has a UDP header of ours.
struct Parts {
  UdpHeader header{};
  std::array<iovec, 2> iov{};
};

}  // namespace

struct UdpListener::Peer {
  sockaddr_in6 address{};
  socklen_t address_size = 0;
  alignas(cmsghdr) std::array<std::byte, kPacketInfoSize> control{};
  size_t control_size = 0;
  std::optional<Endpoint> asked{};  // what the client asked, when that was steered to us
  Endpoint client{};  // then; address has no port (rawv6_sendmsg takes none)

  // The reply as a system call wants it.
  msghdr message(Bytes reply, Parts& parts) const {
    const iovec payload{const_cast<uint8_t*>(reply.data()), reply.size()};
    if (asked) {
      parts.header = udp_header(*asked, client, reply);
      parts.iov = {{{parts.header.data(), parts.header.size()}, payload}};
    } else {
      parts.iov = {payload};
    }
    return {.msg_name = const_cast<sockaddr_in6*>(&address),
            .msg_namelen = address_size,
            .msg_iov = parts.iov.data(),
            .msg_iovlen = asked ? 2u : 1u,
            .msg_control = const_cast<std::byte*>(control.data()),
            .msg_controllen = control_size,
            .msg_flags = 0};
  }
};

struct UdpListener::Out {
  std::array<uint8_t, kUdpPayload> bytes;
  size_t size = 0;
  Peer peer{};
  Parts parts{};
};

struct UdpListener::Batch {
  struct In {
    std::array<uint8_t, kMaxQuery> bytes;
    alignas(cmsghdr) std::array<std::byte, kArrivalSize> control;
    iovec iov;
  };
  // Replies that go by the same socket.
  struct Queue {
    std::array<mmsghdr, kBatch> messages{};
    std::array<Out*, kBatch> outs{};
    size_t size = 0;
    void push(Out& out) {
      messages[size].msg_hdr = out.peer.message({out.bytes.data(), out.size}, out.parts);
      outs[size++] = &out;
    }
  };
  std::array<In, kBatch> in;
  std::array<Out, kBatch> out;
  std::array<mmsghdr, kBatch> received{};
  size_t used = kBatch;  // of received: filled in by the call before
  Queue direct{}, steered{};
  std::array<sockaddr_in6, kBatch> sources{};
};

UdpListener::UdpListener(Service& service, UniqueFd fd, const Endpoint& endpoint,
                         SharedFd replies)
    : service_(service),
      fd_(std::move(fd)),
      replies_(std::move(replies)),
      batch_(std::make_unique<Batch>()) {
  statistics_.transport = Transport::udp;
  statistics_.endpoint = endpoint;
  for (size_t i = 0; i < kBatch; ++i) {
    auto& in = batch_->in[i];
    in.iov = {in.bytes.data(), in.bytes.size()};
  }
}

UdpListener::~UdpListener() { *self_ = nullptr; }

Result<std::unique_ptr<UdpListener>> UdpListener::open(Loop& loop, Service& service,
                                                       UniqueFd fd,
                                                       const Endpoint& endpoint,
                                                       SharedFd replies) {
  std::unique_ptr<UdpListener> listener(
      new UdpListener(service, std::move(fd), endpoint, std::move(replies)));
  auto* self = listener.get();
  listener->watch_ =
      TRY(loop.watch(self->fd_.get(), EPOLLIN, [self](uint32_t) { self->ready(); }));
  return listener;
}

void UdpListener::set_reply_socket(SharedFd replies) {
  if (replies == replies_) return;
  read_all();
  replies_ = std::move(replies);
}

void UdpListener::read_all() {
  for (int i = 0; i < kMaxRounds && ready(); ++i) continue;
}

// False when nothing was there.
bool UdpListener::ready() {
  auto& b = *batch_;
  for (size_t i = 0; i < b.used; ++i)
    b.received[i].msg_hdr = {.msg_name = &b.sources[i],
                             .msg_namelen = sizeof b.sources[i],
                             .msg_iov = &b.in[i].iov,
                             .msg_iovlen = 1,
                             .msg_control = b.in[i].control.data(),
                             .msg_controllen = b.in[i].control.size(),
                             .msg_flags = 0};
  const int received =
      ::recvmmsg(fd_.get(), b.received.data(), kBatch, MSG_DONTWAIT, nullptr);
  // EAGAIN, or an ICMP error that concerns nobody anymore
  b.used = received > 0 ? static_cast<size_t>(received) : 0;
  if (received <= 0) return false;  // EAGAIN, or an ICMP error that concerns nobody
  fetch_ahead();
  const auto now = Loop::now();
  b.direct.size = b.steered.size = 0;
  for (size_t i = 0; i < b.used; ++i) take(i, now);
  const auto send_all = [&](int fd, Batch::Queue& q) {
    send(fd, std::span(q.messages).first(q.size), std::span(q.outs).first(q.size));
  };
  send_all(fd_.get(), b.direct);
  if (replies_) send_all(replies_->get(), b.steered);
  return true;
}

// One datagram of the batch: its reply is queued in the batch or comes later.
void UdpListener::take(size_t i, Service::Time now) {
  auto& b = *batch_;
  const auto& m = b.received[i].msg_hdr;
  if (m.msg_flags & MSG_TRUNC) return;
  const auto& access = service_.access();
  const auto source =
      from_sockaddr(reinterpret_cast<const sockaddr*>(&b.sources[i]), m.msg_namelen);
  const auto came = arrival(m);
  const bool steered = came.to && came.to->port != statistics_.endpoint.port;
  const bool can_reply =
      !steered || (replies_ && std::ranges::count(access.own, came.to->address) > 0);
  const auto asker = source && can_reply ? who_asks(access, *source, came.interface)
                                         : std::optional<Asker>{};
  if (!asker || !service_.may_ask_now(*asker, source->address, now)) {
    ++statistics_.refused;
    return;
  }
  ++statistics_.queries;
  const auto a = service_.handle({b.in[i].bytes.data(), b.received[i].msg_len},
                                 Transport::udp, *asker);
  if (a.kind == Answer::Kind::drop) return;
  auto& out = b.out[b.direct.size + b.steered.size];
  auto& peer = out.peer;
  peer.address = b.sources[i];
  peer.address_size = m.msg_namelen;
  peer.asked = steered ? came.to : std::nullopt;
  peer.client = *source;
  if (steered) peer.address.sin6_port = 0;
  const auto bound = steered ? std::nullopt : std::optional(statistics_.endpoint.address);
  peer.control_size = reply_control(came.info, bound, peer.control);
  if (a.kind == Answer::Kind::reply) {
    const Bytes reply = service_.reply(a);
    std::memcpy(out.bytes.data(), reply.data(), reply.size());
    out.size = reply.size();
    (steered ? b.steered : b.direct).push(out);
    return;
  }
  service_.ask(now, source->address,
               [self = self_, peer, replies = steered ? replies_ : nullptr](Bytes reply) {
                 if (!*self) return;
                 auto& listener = **self;
                 listener.send_later(replies ? replies->get() : listener.fd_.get(), peer,
                                     reply);
               });
}

// The memory that the look-ups will read, for all of them at once: it comes while the
// first ones are answered.
void UdpListener::fetch_ahead() {
  auto& b = *batch_;
  const Zones& zones = service_.zones();
  if (b.used < 2 || zones.memory() < kCached) return;
  std::array<uint64_t, kBatch> hashes;
  for (size_t i = 0; i < b.used; ++i) {
    hashes[i] = question_hash({b.in[i].bytes.data(), b.received[i].msg_len});
    zones.fetch_slot(hashes[i]);
  }
  for (size_t i = 0; i < b.used; ++i) zones.fetch_node(hashes[i]);
}

// A reply that cannot be sent now is lost, as any datagram may be; the rest still goes.
void UdpListener::send(int fd, std::span<mmsghdr> messages, std::span<Out* const> outs) {
  while (!messages.empty()) {
    const int sent = ::sendmmsg(fd, messages.data(),
                                static_cast<unsigned>(messages.size()), MSG_DONTWAIT);
    const size_t done = sent > 0 ? static_cast<size_t>(sent) : 1;
    if (sent > 0)
      statistics_.replies += done;
    else if (errno == EMSGSIZE)
      send_later(fd, outs[0]->peer, {outs[0]->bytes.data(), outs[0]->size});
    messages = messages.subspan(done);
    outs = outs.subspan(done);
  }
}

bool UdpListener::send_one(int fd, const Peer& to, Bytes reply) {
  Parts parts;
  const msghdr m = to.message(reply, parts);
  if (::sendmsg(fd, &m, MSG_DONTWAIT) < 0) return false;
  ++statistics_.replies;
  return true;
}

void UdpListener::send_later(int fd, const Peer& to, Bytes reply) {
  if (send_one(fd, to, reply) || errno != EMSGSIZE) return;
  // The way to the client takes no packets of this size.
  std::array<uint8_t, kUdpPayload> bytes;
  std::memcpy(bytes.data(), reply.data(), reply.size());
  const size_t size = truncate({bytes.data(), reply.size()});
  if (size > 0 && send_one(fd, to, {bytes.data(), size})) service_.count_truncated();
}

}  // namespace wigeon::dns
