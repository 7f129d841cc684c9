// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/socket.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "netlink/ack.hh"
#include "netlink/wait.hh"

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif

namespace wigeon::netlink {
namespace {

using Clock = std::chrono::steady_clock;

// Reads on, through `next`, until done(message) is true. Messages of other exchanges are
// skipped; ours have the sequence numbers from first to last.
Result<void> converse(auto next, uint32_t first, uint32_t last, auto done) {
  for (bool finished = false; !finished;) {
    const Bytes datagram = TRY(next());
    const bool whole = for_each_message(datagram, [&](const Message& m) {
      if (m.sequence - first <= last - first) finished = done(m) || finished;
      return true;
    });
    if (!whole) return fail(EBADMSG, "the kernel's answer is malformed");
  }
  return {};
}

}  // namespace

// At the end of an exchange; replies of the generic family carry keys.
class Socket::Wipe {
 public:
  explicit Wipe(Socket& s) : socket_(s) {}
  Wipe(const Wipe&) = delete;
  Wipe& operator=(const Wipe&) = delete;
  ~Wipe() {
    if (socket_.protocol_ == Protocol::generic)
      ::explicit_bzero(socket_.buffer_.data(), std::exchange(socket_.used_, 0));
  }

 private:
  Socket& socket_;
};

Socket::Socket(UniqueFd fd, Protocol protocol, std::chrono::milliseconds deadline)
    : fd_(std::move(fd)),
      protocol_(protocol),
      deadline_(deadline),
      buffer_(kReceiveBytes) {}

Result<UniqueFd> open_netlink(int protocol) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return fail_errno("netlink socket");
  const sockaddr_nl kernel{
      .nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) != 0)
    return fail_errno("netlink connect");
  return fd;
}

Result<Socket> Socket::open(Protocol protocol) {
  auto fd = TRY(open_netlink(static_cast<int>(protocol)));
  const auto set = [&](int level, int option, int value) {
    return ::setsockopt(fd.get(), level, option, &value, sizeof value) == 0;
  };
  // All three are there since 4.20; without one of them errors say less, nothing breaks.
  (void)set(SOL_NETLINK, NETLINK_EXT_ACK, 1);
  (void)set(SOL_NETLINK, NETLINK_CAP_ACK, 1);
  (void)set(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  // FORCE passes net.core.rmem_max, for those who may.
  for (const auto& [force, plain] :
       {std::pair(SO_RCVBUFFORCE, SO_RCVBUF), std::pair(SO_SNDBUFFORCE, SO_SNDBUF)})
    (void)(set(SOL_SOCKET, force, kSocketBytes) || set(SOL_SOCKET, plain, kSocketBytes));
  return Socket(std::move(fd), protocol);
}

uint32_t Socket::port() const {
  sockaddr_nl own{};
  socklen_t length = sizeof own;
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) return 0;
  return own.nl_family == AF_NETLINK ? own.nl_pid : 0;
}

std::unexpected<Error> Socket::named(const nl_msg* m, Error e) const {
  const auto type = nlmsg_hdr(const_cast<nl_msg*>(m))->nlmsg_type;
  const auto name =
      protocol_ == Protocol::route ? request_name(type) : std::string_view{};
  return name.empty() ? std::unexpected(std::move(e)) : within(name, std::move(e));
}

Result<void> Socket::send(nl_msg* m) {
  nlmsg_hdr(m)->nlmsg_seq = ++sequence_;
  const Bytes out = bytes(m);
  ssize_t n = 0;
  do n = ::send(fd_.get(), out.data(), out.size(), MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0) return fail_errno("send");
  ++counters_.sends;
  counters_.bytes_sent += static_cast<uint64_t>(n);
  return {};
}

Result<Bytes> Socket::receive(Patience& patience) {
  for (;;) {
    const ssize_t n =
        ::recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n >= 0) {
      const auto size = static_cast<size_t>(n);
      ++counters_.receives;
      counters_.bytes_received += size;
      used_ = std::max(used_, std::min(size, buffer_.size()));
      if (size > buffer_.size()) return fail(EMSGSIZE, "the kernel's answer is too long");
      if (size == 0) return fail(ECONNRESET, "the other end is gone");
      return Bytes(buffer_).first(size);
    }
    if (errno == EINTR) continue;
    if (errno == ENOBUFS) return fail(ENOBUFS, "answers were lost, observe again");
    if (errno != EAGAIN) return fail_errno("recv");
    TRY(wait_ready(fd_.get(), POLLIN, patience.deadline()));
  }
}

Result<void> Socket::request(nl_msg* m) {
  return ask(m,
             [](const Message&) { return true; });  // nothing but the ACK is of interest
}

Result<void> Socket::ask(nl_msg* m, const Take& take) {
  const Wipe wipe(*this);
  nlmsg_hdr(m)->nlmsg_flags |= NLM_F_ACK;
  if (auto sent = send(m); !sent) return named(m, std::move(sent).error());
  Patience patience(deadline_);
  bool good = true;
  Result<void> verdict{};
  auto heard = converse([&] { return receive(patience); }, sequence_, sequence_,
                        [&](const Message& reply) {
                          if (reply.type == NLMSG_ERROR) {
                            verdict = outcome(reply);
                            return true;
                          }
                          good = good && (reply.type < NLMSG_MIN_TYPE || take(reply));
                          return false;
                        });
  if (!heard) return named(m, std::move(heard).error());
  if (!verdict) return named(m, std::move(verdict).error());
  if (!good) return named(m, Error{EBADMSG, "the kernel's answer is malformed"});
  return {};
}

Result<Socket::Dump> Socket::dump_once(nl_msg* m, const Take& take) {
  const Wipe wipe(*this);
  nlmsg_hdr(m)->nlmsg_flags |= NLM_F_DUMP;
  if (auto sent = send(m); !sent) return named(m, std::move(sent).error());
  Patience patience(deadline_);
  bool good = true;
  Dump kind = Dump::consistent;
  Result<void> verdict{};
  auto heard = converse([&] { return receive(patience); }, sequence_, sequence_,
                        [&](const Message& reply) {
                          if (reply.flags & NLM_F_DUMP_INTR) kind = Dump::interrupted;
                          if (reply.type == NLMSG_DONE || reply.type == NLMSG_ERROR) {
                            verdict = outcome(reply);
                            return true;
                          }
                          good = good && (reply.type < NLMSG_MIN_TYPE || take(reply));
                          return false;
                        });
  if (!heard) return named(m, std::move(heard).error());
  if (!verdict) return named(m, std::move(verdict).error());
  if (!good) return named(m, Error{EBADMSG, "the kernel's answer is malformed"});
  return kind;
}

Result<std::vector<Refusal>> Socket::batch(std::span<const Msg> messages) {
  std::vector<Refusal> refusals;
  for (size_t from = 0; from < messages.size();) {
    size_t to = from, size = 0;
    while (to < messages.size() && to - from < kBatchMessages) {
      size += NLMSG_ALIGN(bytes(messages[to].get()).size());
      if (size > kBatchBytes && to > from) break;
      ++to;
    }
    auto more = TRY(send_batch(messages.subspan(from, to - from), from));
    std::ranges::move(more, std::back_inserter(refusals));
    from = to;
  }
  return refusals;
}

Result<std::vector<Refusal>> Socket::send_batch(std::span<const Msg> messages,
                                                size_t first_index) {
  const Wipe wipe(*this);
  const uint32_t first = sequence_ + 1;
  std::vector<iovec> parts;
  parts.reserve(messages.size());
  for (const auto& m : messages) {
    nlmsghdr* h = nlmsg_hdr(m.get());
    h->nlmsg_seq = ++sequence_;
    h->nlmsg_flags &= static_cast<uint16_t>(~NLM_F_ACK);
    if (&m == &messages.back()) h->nlmsg_flags |= NLM_F_ACK;
    parts.push_back({h, h->nlmsg_len});  // attributes are padded, so the next is aligned
  }
  msghdr out{};
  out.msg_iov = parts.data();
  out.msg_iovlen = parts.size();
  ssize_t n = 0;
  do n = ::sendmsg(fd_.get(), &out, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0) return fail_errno("sendmsg");
  ++counters_.sends;
  counters_.bytes_sent += static_cast<uint64_t>(n);

  Patience patience(deadline_);
  std::vector<Refusal> refusals;
  TRY(converse([&] { return receive(patience); }, first, sequence_,
               [&](const Message& reply) {
                 if (reply.type != NLMSG_ERROR) return false;
                 const size_t i = reply.sequence - first;
                 if (auto verdict = outcome(reply); !verdict)
                   refusals.push_back(
                       {first_index + i,
                        named(messages[i].get(), std::move(verdict).error()).error()});
                 return reply.sequence == sequence_;
               }));
  return refusals;
}

}  // namespace wigeon::netlink
