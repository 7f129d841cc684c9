// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/nfnetlink.hh"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "netlink/ack.hh"
#include "netlink/socket.hh"
#include "netlink/wait.hh"

namespace wigeon::netlink {
namespace {

constexpr size_t kAnswerBytes = 32u << 10;

// One exchange each, so late answers go with the socket.
Result<UniqueFd> open_socket() {
  auto fd = open_netlink(NETLINK_NETFILTER);
  if (!fd && fd.error().code == EPROTONOSUPPORT)
    return fail(EOPNOTSUPP, "the kernel has no nf_tables");
  return fd;
}

Result<void> send(int fd, Bytes datagram) {
  ssize_t n = 0;
  do n = ::send(fd, datagram.data(), datagram.size(), MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n < 0 ? Result<void>(fail_errno("send")) : Result<void>{};
}

// Until the message `last` is answered or one is refused.
Result<void> wait_for_answer(int fd, uint32_t last) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  std::vector<uint8_t> buffer(kAnswerBytes);
  for (;;) {
    TRY(wait_ready(fd, POLLIN, deadline));
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return fail_errno("recv");
    bool answered = false;
    Result<void> verdict{};
    const bool whole = for_each_message(Bytes(buffer).first(static_cast<size_t>(n)),
                                        [&](const Message& m) {
                                          if (m.type == NLMSG_ERROR && verdict)
                                            verdict = outcome(m);
                                          answered = answered || m.sequence == last;
                                          return true;
                                        });
    if (!verdict) return verdict;
    if (!whole) return fail(EBADMSG, "the kernel's answer is malformed");
    if (answered) return {};
  }
}

Msg batch_border(int type) {
  auto m = new_message(type, 0);
  const nfgenmsg h{.nfgen_family = AF_UNSPEC,
                   .version = NFNETLINK_V0,
                   .res_id = htons(NFNL_SUBSYS_NFTABLES)};
  (void)put_header(m.get(), h);  // a fresh message has room for it
  return m;
}

}  // namespace

Msg nft_message(int type, int flags, uint8_t family, size_t capacity) {
  auto m = new_message((NFNL_SUBSYS_NFTABLES << 8) | type, flags, capacity);
  const nfgenmsg h{.nfgen_family = family, .version = NFNETLINK_V0, .res_id = 0};
  (void)put_header(m.get(), h);  // a fresh message has room for it
  return m;
}

Result<void> probe_nft() {
  const auto fd = TRY(open_socket());
  const auto question = nft_message(NFT_MSG_GETGEN, 0, AF_UNSPEC);
  nlmsg_hdr(question.get())->nlmsg_seq = 1;
  TRY(send(fd.get(), bytes(question.get())));
  auto answer = wait_for_answer(fd.get(), 1);
  if (answer) return {};
  // Nobody has registered for these messages.
  if (answer.error().code == EINVAL || answer.error().code == EOPNOTSUPP)
    return fail(EOPNOTSUPP, "the kernel has no nf_tables");
  return within("nf_tables", std::move(answer).error());
}

Result<void> transact_nft(std::span<const Msg> messages) {
  if (messages.empty()) return {};
  const auto fd = TRY(open_socket());
  const auto begin = batch_border(NFNL_MSG_BATCH_BEGIN);
  const auto end = batch_border(NFNL_MSG_BATCH_END);
  std::vector<uint8_t> datagram;
  uint32_t sequence = 0;
  const auto add = [&](nl_msg* m) {
    nlmsg_hdr(m)->nlmsg_seq = ++sequence;
    const auto b = bytes(m);
    datagram.insert(datagram.end(), b.begin(), b.end());
    datagram.resize(NLMSG_ALIGN(datagram.size()));
  };
  add(begin.get());
  for (const auto& m : messages) {
    nlmsg_hdr(m.get())->nlmsg_flags |= NLM_F_ACK;
    add(m.get());
  }
  const uint32_t last = sequence;  // the end itself is acknowledged by new kernels only
  add(end.get());
  TRY(send(fd.get(), datagram));
  return wait_for_answer(fd.get(), last);
}

}  // namespace wigeon::netlink
