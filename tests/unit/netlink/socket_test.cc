// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel is played by the other end of a socket pair. It answers before it is asked:
// the sequence numbers of a fresh Socket are 1, 2, 3 …
#include "netlink/socket.hh"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

class Kernel {
 public:
  Kernel() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    own_ = UniqueFd(ends[0]);
    theirs_ = UniqueFd(ends[1]);
  }
  Socket socket(std::chrono::milliseconds deadline = kDeadline) {
    return Socket(std::move(theirs_), Protocol::route, deadline);
  }

  void say(int type, int flags, uint32_t sequence, Bytes payload = {}) {
    auto m = new_message(type, 0);
    nlmsghdr* h = nlmsg_hdr(m.get());
    h->nlmsg_flags = static_cast<uint16_t>(flags);
    h->nlmsg_seq = sequence;
    REQUIRE(nlmsg_append(m.get(), const_cast<uint8_t*>(payload.data()), payload.size(),
                         0) == 0);
    const Bytes out = bytes(m.get());
    REQUIRE(::send(own_.get(), out.data(), out.size(), 0) ==
            static_cast<ssize_t>(out.size()));
  }
  void raw(Bytes out) {
    REQUIRE(::send(own_.get(), out.data(), out.size(), 0) ==
            static_cast<ssize_t>(out.size()));
  }
  void acknowledge(uint32_t sequence, int code = 0) {
    nlmsgerr e{.error = -code, .msg = {}};
    say(NLMSG_ERROR, NLM_F_CAPPED, sequence,
        Bytes(reinterpret_cast<uint8_t*>(&e), sizeof e));
  }
  void done(uint32_t sequence, int flags = NLM_F_MULTI, int code = 0) {
    const int e = -code;
    say(NLMSG_DONE, flags, sequence,
        Bytes(reinterpret_cast<const uint8_t*>(&e), sizeof e));
  }
  void number(uint32_t sequence, uint8_t n, int flags = NLM_F_MULTI) {
    say(RTM_NEWLINK, flags, sequence, Bytes(&n, 1));
  }
  std::vector<uint8_t> heard() {
    std::vector<uint8_t> in(1 << 17);
    const ssize_t n = ::recv(own_.get(), in.data(), in.size(), MSG_DONTWAIT);
    in.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return in;
  }
  void leave() { own_.reset(); }

 private:
  UniqueFd own_{}, theirs_{};
};

Result<std::vector<int>> dump(Socket& s) {
  const auto m = new_message(RTM_GETLINK, 0);
  return s.dump<std::vector<int>>(m.get(), [](auto& to, const Message& r) {
    if (r.payload.size() != 1) return false;
    to.push_back(r.payload[0]);
    return true;
  });
}

Result<void> request(Socket& s) { return s.request(new_message(RTM_NEWROUTE, 0).get()); }

}  // namespace

TEST_CASE("a refused request names the message and the errno") {
  Kernel kernel;
  auto s = kernel.socket();
  kernel.acknowledge(1);
  kernel.acknowledge(2, EEXIST);
  CHECK(request(s));
  const auto refused = request(s);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EEXIST);
  CHECK(refused.error().what == "RTM_NEWROUTE: EEXIST: File exists");
}

TEST_CASE("a late answer to another exchange is skipped") {
  Kernel kernel;
  auto s = kernel.socket();
  kernel.acknowledge(0, EPERM);
  kernel.acknowledge(77, EPERM);
  kernel.acknowledge(1);
  CHECK(request(s));
}

TEST_CASE("a dump that was interrupted is thrown away and begun again") {
  Kernel kernel;
  auto s = kernel.socket();
  kernel.number(1, 10);
  kernel.number(1, 11, NLM_F_MULTI | NLM_F_DUMP_INTR);
  kernel.done(1);
  kernel.number(2, 20);
  kernel.done(2, NLM_F_MULTI | NLM_F_DUMP_INTR);
  kernel.number(3, 30);
  kernel.done(3);
  const auto found = dump(s);
  REQUIRE(found);
  CHECK(*found == std::vector{30});
}

TEST_CASE("a dump that never comes to rest is EAGAIN") {
  Kernel kernel;
  auto s = kernel.socket();
  for (uint32_t i = 1; i <= kDumpRounds; ++i)
    kernel.done(i, NLM_F_MULTI | NLM_F_DUMP_INTR);
  const auto found = dump(s);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == EAGAIN);
}

TEST_CASE("the error at the end of a dump is its result") {
  Kernel kernel;
  auto s = kernel.socket();
  kernel.number(1, 10);
  kernel.done(1, NLM_F_MULTI, ENODEV);
  CHECK(dump(s).error().code == ENODEV);
}

TEST_CASE("a malformed reply does not disturb the next exchange") {
  Kernel kernel;
  auto s = kernel.socket();
  kernel.say(RTM_NEWLINK, NLM_F_MULTI, 1);  // without its number
  kernel.number(1, 10);
  kernel.done(1);
  kernel.number(2, 20);
  kernel.done(2);
  const auto bad = dump(s);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == EBADMSG);
  CHECK(dump(s).value() == std::vector{20});
}

TEST_CASE("bytes that are no messages are an error") {
  Kernel kernel;
  auto s = kernel.socket();
  const std::vector<uint8_t> junk(10, 0xff);
  kernel.raw(junk);
  CHECK(request(s).error().code == EBADMSG);
}

TEST_CASE("an answer that never comes is ETIMEDOUT, for each kind of request") {
  Kernel kernel;
  auto s = kernel.socket(std::chrono::milliseconds(20));
  kernel.acknowledge(9);
  CHECK(request(s).error().code == ETIMEDOUT);
  kernel.number(2, 10);  // and no end
  CHECK(dump(s).error().code == ETIMEDOUT);
  std::vector<Msg> messages;
  messages.push_back(new_message(RTM_NEWROUTE, 0));
  CHECK(s.batch(messages).error().code == ETIMEDOUT);
  kernel.acknowledge(3);  // of the batch, too late
  kernel.acknowledge(4);
  CHECK(request(s));
}

TEST_CASE("a hang-up is an error") {
  Kernel kernel;
  auto s = kernel.socket();
  kernel.leave();
  CHECK_FALSE(request(s));
}

TEST_CASE("a batch is one send that asks for one acknowledgement") {
  Kernel kernel;
  auto s = kernel.socket();
  kernel.acknowledge(2, ESRCH);
  kernel.acknowledge(3);
  std::vector<Msg> messages;
  messages.push_back(new_message(RTM_NEWROUTE, 0));
  messages.push_back(new_message(RTM_DELROUTE, NLM_F_ACK));
  messages.push_back(new_message(RTM_NEWROUTE, 0));
  const auto refused = s.batch(messages);
  REQUIRE(refused);
  REQUIRE(refused->size() == 1);
  CHECK(refused->front().index == 1);
  CHECK(refused->front().error.code == ESRCH);
  CHECK(refused->front().error.what == "RTM_DELROUTE: ESRCH: No such process");
  CHECK(s.counters().sends == 1);
  CHECK(s.counters().receives == 2);
  CHECK(s.counters().bytes_sent == 48);
  CHECK(s.counters().bytes_received == 72);

  std::vector<bool> acks;
  REQUIRE(for_each_message(kernel.heard(), [&](const Message& m) {
    acks.push_back((m.flags & NLM_F_ACK) != 0);
    return true;
  }));
  CHECK(acks == std::vector{false, false, true});
}

TEST_CASE("a long batch takes more sends, and its refusals keep their index") {
  Kernel kernel;
  auto s = kernel.socket();
  kernel.acknowledge(static_cast<uint32_t>(kBatchMessages));
  kernel.acknowledge(static_cast<uint32_t>(kBatchMessages) + 5, EINVAL);
  std::vector<Msg> messages;
  for (size_t i = 0; i < kBatchMessages + 5; ++i)
    messages.push_back(new_message(RTM_NEWROUTE, 0, 32));
  const auto refused = s.batch(messages);
  REQUIRE(refused);
  CHECK(s.counters().sends == 2);
  REQUIRE(refused->size() == 1);
  CHECK(refused->front().index == kBatchMessages + 4);
}

TEST_CASE("an empty batch does nothing") {
  Kernel kernel;
  auto s = kernel.socket();
  CHECK(s.batch({}).value().empty());
  CHECK(s.counters().sends == 0);
}
