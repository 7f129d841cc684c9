// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/udp.hh"

#include <netinet/in.h>

#include <array>

#include "dns/quick.hh"

namespace wigeon::dns {
namespace {

constexpr size_t kBatch = 64;
// Zones beyond this do not stay in the CPU's caches.
constexpr size_t kCached = size_t{1} << 20;
// Longer queries do not exist in practice; a longer datagram is cut off and dropped.
constexpr size_t kMaxQuery = 2048;

constexpr size_t kControlSize = CMSG_SPACE(sizeof(in6_pktinfo));

// How a datagram came: by which interface, to which of our addresses.
struct Arrival {
  uint32_t interface = 0;
  const cmsghdr* info = nullptr;  // IP_PKTINFO or IPV6_PKTINFO
};

template <class T>
T content(const cmsghdr* c) {
  T info;
  std::memcpy(&info, CMSG_DATA(c), sizeof info);
  return info;
}

Arrival arrival(const msghdr& m) {
  for (auto* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(const_cast<msghdr*>(&m), c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
      return {static_cast<uint32_t>(content<in_pktinfo>(c).ipi_ifindex), c};
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
      return {content<in6_pktinfo>(c).ipi6_ifindex, c};
  }
  return {};
}

// The packet information of the reply: same local address, any interface. Returns the
// bytes used; 0 leaves the choice to the kernel, which takes the address we are bound to.
size_t reply_control(const cmsghdr* in, const Address& bound, std::span<std::byte> out) {
  if (!in) return 0;
  auto* o = reinterpret_cast<cmsghdr*>(out.data());
  const auto bound_bytes = bound.bytes();
  if (in->cmsg_level == IPPROTO_IP) {
    auto info = content<in_pktinfo>(in);
    if (bound.is_v4() && std::memcmp(&info.ipi_addr, bound_bytes.data(), 4) == 0)
      return 0;
    info.ipi_spec_dst = info.ipi_addr;
    info.ipi_ifindex = 0;
    *o = {CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
    std::memcpy(CMSG_DATA(o), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
  }
  auto info = content<in6_pktinfo>(in);
  // A link-local address means nothing without its interface.
  if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) {
    if (!bound.is_v4() && std::memcmp(&info.ipi6_addr, bound_bytes.data(), 16) == 0)
      return 0;
    info.ipi6_ifindex = 0;
  }
  *o = {CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
  std::memcpy(CMSG_DATA(o), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

}  // namespace

struct UdpListener::Peer {
  sockaddr_in6 address{};
  socklen_t address_size = 0;
  alignas(cmsghdr) std::array<std::byte, kControlSize> control{};
  size_t control_size = 0;
};

struct UdpListener::Batch {
  struct In {
    std::array<uint8_t, kMaxQuery> bytes;
    alignas(cmsghdr) std::array<std::byte, kControlSize> control;
    iovec iov;
  };
  struct Out {
    std::array<uint8_t, kUdpPayload> bytes;
    Peer peer;
    iovec iov;
  };
  std::array<In, kBatch> in;
  std::array<Out, kBatch> out;
  std::array<mmsghdr, kBatch> received{};
  size_t used = kBatch;  // of received: filled in by the call before
  std::array<mmsghdr, kBatch> replies{};
  std::array<sockaddr_in6, kBatch> sources{};
};

UdpListener::UdpListener(Service& service, UniqueFd fd, const Endpoint& endpoint)
    : service_(service), fd_(std::move(fd)), batch_(std::make_unique<Batch>()) {
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
                                                       const Endpoint& endpoint) {
  const int on = 1;
  const bool v4 = endpoint.address.is_v4();
  if (::setsockopt(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6,
                   v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof on) != 0)
    return fail_errno(endpoint.text() + ": IP_PKTINFO");
  std::unique_ptr<UdpListener> listener(
      new UdpListener(service, std::move(fd), endpoint));
  auto* self = listener.get();
  listener->watch_ =
      TRY(loop.watch(self->fd_.get(), EPOLLIN, [self](uint32_t) { self->ready(); }));
  return listener;
}

void UdpListener::ready() {
  receive();
  if (batch_->used == 0) return;
  fetch_ahead();
  const auto now = Loop::now();
  size_t replies = 0;
  for (size_t i = 0; i < batch_->used; ++i)
    if (take(i, replies, now)) ++replies;
  send(replies);
}

void UdpListener::receive() {
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
}

// The i-th datagram. True: its reply is at that place and to be sent.
bool UdpListener::take(size_t i, size_t place, Service::Time now) {
  auto& b = *batch_;
  const auto& m = b.received[i].msg_hdr;
  if (m.msg_flags & MSG_TRUNC) return false;
  const auto source =
      from_sockaddr(reinterpret_cast<const sockaddr*>(&b.sources[i]), m.msg_namelen);
  const auto came = arrival(m);
  const auto asker = source ? who_asks(service_.access(), *source, came.interface)
                            : std::optional<Asker>{};
  if (!asker || !service_.may_ask_now(*asker, source->address, now)) {
    ++statistics_.refused;
    return false;
  }
  ++statistics_.queries;
  const auto a = service_.handle({b.in[i].bytes.data(), b.received[i].msg_len},
                                 Transport::udp, *asker);
  if (a.kind == Answer::Kind::drop) return false;
  auto& out = b.out[place];
  out.peer.address = b.sources[i];
  out.peer.address_size = m.msg_namelen;
  out.peer.control_size =
      reply_control(came.info, statistics_.endpoint.address, out.peer.control);
  if (a.kind == Answer::Kind::ask) {
    service_.ask(now, source->address, [self = self_, peer = out.peer](Bytes reply) {
      if (*self) (*self)->send_later(peer, reply);
    });
    return false;
  }
  const Bytes reply = service_.reply(a);
  std::memcpy(out.bytes.data(), reply.data(), reply.size());
  out.iov = {out.bytes.data(), reply.size()};
  b.replies[place].msg_hdr = {.msg_name = &out.peer.address,
                              .msg_namelen = out.peer.address_size,
                              .msg_iov = &out.iov,
                              .msg_iovlen = 1,
                              .msg_control = out.peer.control.data(),
                              .msg_controllen = out.peer.control_size,
                              .msg_flags = 0};
  return true;
}

// A reply that cannot be sent now is lost, as any datagram may be; the rest still goes.
void UdpListener::send(size_t replies) {
  for (size_t done = 0; done < replies;) {
    const int sent = ::sendmmsg(fd_.get(), &batch_->replies[done],
                                static_cast<unsigned>(replies - done), MSG_DONTWAIT);
    if (sent > 0) statistics_.replies += static_cast<uint64_t>(sent);
    done += sent > 0 ? static_cast<size_t>(sent) : 1;
  }
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

void UdpListener::send_later(const Peer& peer, Bytes reply) {
  Peer to = peer;
  iovec iov{const_cast<uint8_t*>(reply.data()), reply.size()};
  const msghdr m{.msg_name = &to.address,
                 .msg_namelen = to.address_size,
                 .msg_iov = &iov,
                 .msg_iovlen = 1,
                 .msg_control = to.control.data(),
                 .msg_controllen = to.control_size,
                 .msg_flags = 0};
  if (::sendmsg(fd_.get(), &m, MSG_DONTWAIT) >= 0) ++statistics_.replies;
}

}  // namespace wigeon::dns
