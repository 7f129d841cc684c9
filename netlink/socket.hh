// SPDX-License-Identifier: GPL-2.0-or-later
// A netlink socket that asks the kernel one thing at a time and waits for the answer, at
// most kDeadline. Requests are carried out inside send(2), so the wait ends early in
// practice; the deadline is for an answer that was lost. Errors read "RTM_NEWROUTE:
// EINVAL: <ext-ack>".
//
// Messages of one exchange bear its sequence number; a late answer to an exchange that
// was given up is skipped by the next one.
#pragma once

#include <linux/netlink.h>

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"
#include "netlink/attr.hh"
#include "netlink/message.hh"

namespace wigeon::netlink {

inline constexpr std::chrono::seconds kDeadline{5};
inline constexpr size_t kReceiveBytes = 128
                                        << 10;  // one datagram; the kernel's reach 32 kB
inline constexpr int kSocketBytes = 1 << 20;  // SO_RCVBUF: over 1,000 refusals of a batch
// One send of a batch. The kernel copies it into one buffer, at most SO_SNDBUF: where
// FORCE is refused, that is twice net.core.wmem_max, 416 KiB unless somebody changed it.
inline constexpr size_t kBatchBytes = 256 << 10;
inline constexpr size_t kBatchMessages = 1024;  // UIO_MAXIOV
inline constexpr int kDumpRounds = 10;

enum class Protocol : int { route = NETLINK_ROUTE, generic = NETLINK_GENERIC };

// protocol: NETLINK_ROUTE, …. Connected to the kernel: nobody else's datagrams arrive.
Result<UniqueFd> open_netlink(int protocol);

// One message of a batch that the kernel refused.
struct Refusal {
  size_t index = 0;
  Error error{};
};

class Socket {
 public:
  static Result<Socket> open(Protocol protocol);
  // Over any connected socket that keeps datagrams apart; tests play the kernel at its
  // end.
  Socket(UniqueFd fd, Protocol protocol, std::chrono::milliseconds deadline = kDeadline);

  // System calls that moved something, and how much.
  struct Counters {
    uint64_t sends = 0;
    uint64_t receives = 0;
    uint64_t bytes_sent = 0;
    uint64_t bytes_received = 0;
  };

  // Sends a message and waits until it is acknowledged.
  Result<void> request(nl_msg* m);

  // As request, with the replies before the acknowledgement: take(reply) -> bool, false
  // when it is malformed (EBADMSG; the rest is still read, so that the next exchange
  // starts clean).
  using Take = std::function<bool(const Message&)>;
  Result<void> ask(nl_msg* m, const Take& take);

  // A dump into a T: take(T&, reply) -> bool. When the tables changed meanwhile
  // (NLM_F_DUMP_INTR) it is thrown away and begun again; EAGAIN after kDumpRounds.
  template <class T>
  Result<T> dump(nl_msg* m, auto take) {
    for (int round = 0; round < kDumpRounds; ++round) {
      T found{};
      const Take into = [&](const Message& reply) { return take(found, reply); };
      if (TRY(dump_once(m, into)) == Dump::consistent) return found;
    }
    return fail(EAGAIN, "the tables kept changing while they were read");
  }

  // A dump read once, consistent or not, for what is looked at again when it changes.
  Result<void> dump_as_it_is(nl_msg* m, const Take& take) {
    TRY(dump_once(m, take));
    return {};
  }

  // Sends the messages packed together, in as few sends as kBatchBytes allows. The kernel
  // carries out all of them, also those behind one it refuses; the refusals come back in
  // order. An error means that the outcome of some is unknown: observe again. Only the
  // last message of each send asks for an acknowledgement, which is enough: refusals are
  // always told, in order, and a lost one is an ENOBUFS here.
  Result<std::vector<Refusal>> batch(std::span<const Msg> messages);

  [[nodiscard]] const Counters& counters() const { return counters_; }
  // Our address, which events carry that we caused ourselves; 0 when unknown.
  [[nodiscard]] uint32_t port() const;

 private:
  class Wipe;
  // The time left for an exchange, which begins with the first wait: an answer that is
  // there already costs no look at the clock.
  class Patience {
   public:
    explicit Patience(std::chrono::milliseconds limit) : limit_(limit) {}
    std::chrono::steady_clock::time_point deadline() {
      if (!at_) at_ = std::chrono::steady_clock::now() + limit_;
      return *at_;
    }

   private:
    std::chrono::milliseconds limit_;
    std::optional<std::chrono::steady_clock::time_point> at_{};
  };
  enum class Dump { consistent, interrupted };
  Result<Dump> dump_once(nl_msg* m, const Take& take);
  Result<void> send(nl_msg* m);
  Result<Bytes> receive(Patience& patience);
  Result<std::vector<Refusal>> send_batch(std::span<const Msg> messages,
                                          size_t first_index);
  std::unexpected<Error> named(const nl_msg* m, Error e) const;

  UniqueFd fd_{};
  Protocol protocol_ = Protocol::route;
  std::chrono::milliseconds deadline_ = kDeadline;
  uint32_t sequence_ = 0;
  std::vector<uint8_t> buffer_;
  size_t used_ = 0;  // how much of it was written in this exchange
  Counters counters_{};
};

}  // namespace wigeon::netlink
