// SPDX-License-Identifier: GPL-2.0-or-later
// Queries that were for another port than the listener's, as sk_lookup brings them. Here
// without BPF: the listener is told a port that its socket is not bound to. The real
// thing is in tests/netns/dns_steered_test.cc.
#include <sys/syscall.h>

#include <fstream>

#include "tests/unit/dns/server_fixture.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

struct Calls {
  int sendmmsg = 0, sendmsg = 0;
};
Calls calls;

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
extern "C" int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  ++calls.sendmmsg;
  return static_cast<int>(::syscall(SYS_sendmmsg, fd, messages, count, flags));
}
extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  ++calls.sendmsg;
  return ::syscall(SYS_sendmsg, fd, message, flags);
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

namespace {

const std::vector<Address> kBoth{*Address::parse("127.0.0.1"), *Address::parse("::1")};

ListenerSockets as_steered(ListenerSockets sockets) {
  for (auto& s : sockets) --s.endpoint.port;
  return sockets;
}

// Its listeners take what is sent to `port` for steered.
struct Steered : Fixture {
  explicit Steered(bool replies = true) {
    auto sockets = as_steered(*open_listeners(kBoth, 0));
    port = static_cast<uint16_t>(sockets.front().endpoint.port + 1);
    ListenerChange change{.open = std::move(sockets)};
    if (replies) change.replies = *open_reply_sockets(kBoth);
    REQUIRE(server.listen(std::move(change)));
    service.set_access({.own = kBoth});
  }
  // Of all its UDP listeners.
  [[nodiscard]] uint64_t refused() const {
    uint64_t n = 0;
    for (const auto& l : server.statistics().listeners) n += l.refused;
    return n;
  }
};

}  // namespace

TEST_CASE("a steered query is answered from the port it was sent to") {
  Steered f;
  for (const char* address : {"127.0.0.1", "::1"}) {
    // Connected: it hears nothing from another port.
    const auto fd = f.client(SOCK_DGRAM, address);
    send_all(fd.get(), kQuery);
    std::string reply;
    f.until([&] { return !(reply = receive(fd.get())).empty(); });
    CHECK(text_of(reply) == std::string("NOERROR aa rd ra\n") + kRecord);
  }
  CHECK(f.refused() == 0);
}

TEST_CASE("a batch of steered queries is answered by one system call") {
  Steered f;
  const auto fd = f.client(SOCK_DGRAM, "::1");
  for (int i = 0; i < 60; ++i) send_all(fd.get(), kQuery);
  calls = {};
  int replies = 0;
  f.until([&] {
    while (!receive(fd.get()).empty()) ++replies;
    return replies == 60;
  });
  CHECK(calls.sendmmsg == 1);
  CHECK(calls.sendmsg == 0);
}

TEST_CASE("a query that nobody steered is answered as ever, in the same batch") {
  Steered f;
  // The same socket hears of both: its port is the one that is not said.
  auto sockets = *open_listeners(kBoth, 0);
  const uint16_t direct = sockets.front().endpoint.port;
  REQUIRE(f.server.listen({.open = std::move(sockets), .keep_replies = true}));
  f.port = direct;
  const auto fd = f.client(SOCK_DGRAM);
  for (int i = 0; i < 60; ++i) send_all(fd.get(), kQuery);
  calls = {};
  int replies = 0;
  f.until([&] {
    while (!receive(fd.get()).empty()) ++replies;
    return replies == 60;
  });
  CHECK(calls.sendmmsg == 1);
}

TEST_CASE("an answer that comes later leaves from the port that was asked") {
  Steered f;
  for (const char* address : {"127.0.0.1", "::1"}) {
    const auto fd = f.client(SOCK_DGRAM, address);
    const std::string name = *address == '1' ? "four.test" : "six.test";
    send_all(fd.get(), make_query({.name = name}));
    f.until([&] { return f.exchange.waiting.size() == 1; });
    f.exchange.waiting[0]({});
    f.exchange.waiting.clear();
    std::string reply;
    f.until([&] { return !(reply = receive(fd.get())).empty(); });
    CHECK(text_of(reply) == "SERVFAIL rd ra\n");
  }
}

TEST_CASE("no reply is sent from an address that is not ours") {
  Steered f;
  f.service.set_access({.own = {*Address::parse("127.0.0.2")}});
  const auto fd = f.client(SOCK_DGRAM);
  send_all(fd.get(), kQuery);
  f.until([&] { return f.refused() == 1; });
  CHECK(receive(fd.get()).empty());
  CHECK(f.service.statistics().queries == 0);
  f.service.set_access({.own = {*Address::parse("127.0.0.1")}});
  send_all(fd.get(), kQuery);
  f.until([&] { return !receive(fd.get()).empty(); });
}

TEST_CASE(
    "without a reply socket a steered query gets no reply, rather than a wrong one") {
  Steered f(false);
  const auto fd = f.client(SOCK_DGRAM);
  send_all(fd.get(), kQuery);
  f.until([&] { return f.refused() == 1; });
  f.turn();
  CHECK(receive(fd.get()).empty());
}

TEST_CASE("reply sockets hear nothing and are in no table of the kernel") {
  enter_own_network();
  const auto sockets = *open_reply_sockets(kBoth);
  for (const char* table : {"/proc/thread-self/net/raw", "/proc/thread-self/net/raw6"}) {
    std::ifstream in(table);
    std::string line;
    REQUIRE(std::getline(in, line));
    CHECK_FALSE(std::getline(in, line));
  }
  Fixture f;
  for (const char* address : {"127.0.0.1", "::1"}) {
    const auto fd = f.client(SOCK_DGRAM, address);
    send_all(fd.get(), kQuery);
    f.until([&] { return !receive(fd.get()).empty(); });
  }
  for (const int fd : {sockets.v4.get(), sockets.v6.get()}) {
    CHECK(receive(fd).empty());
    // Whoever has it later cannot change that.
    const int off = 0;
    CHECK(::setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof off) == -1);
  }
}

TEST_CASE("reply sockets send from addresses of this host only") {
  enter_own_network();
  const auto sockets = *open_reply_sockets(kBoth);
  const std::vector<uint8_t> datagram(20);
  iovec iov{const_cast<uint8_t*>(datagram.data()), datagram.size()};
  const auto send_from = [&](int fd, const auto& info, int level, int type,
                             const char* to) {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    auto* c = reinterpret_cast<cmsghdr*>(control.data());
    *c = {CMSG_LEN(sizeof info), level, type};
    std::memcpy(CMSG_DATA(c), &info, sizeof info);
    sockaddr_storage storage;
    const auto size = to_sockaddr({*Address::parse(to), 0}, storage);
    const msghdr m{.msg_name = &storage,
                   .msg_namelen = size,
                   .msg_iov = &iov,
                   .msg_iovlen = 1,
                   .msg_control = control.data(),
                   .msg_controllen = CMSG_SPACE(sizeof info),
                   .msg_flags = 0};
    return ::sendmsg(fd, &m, 0);
  };
  in_pktinfo v4{};
  for (const auto& [from, sent] : {std::pair("127.0.0.9", 20), {"198.51.100.9", -1}}) {
    REQUIRE(::inet_pton(AF_INET, from, &v4.ipi_spec_dst) == 1);
    CHECK(send_from(sockets.v4.get(), v4, IPPROTO_IP, IP_PKTINFO, "127.0.0.1") == sent);
  }
  in6_pktinfo v6{};
  for (const auto& [from, sent] : {std::pair("::1", 20), {"2001:db8::1", -1}}) {
    REQUIRE(::inet_pton(AF_INET6, from, &v6.ipi6_addr) == 1);
    CHECK(send_from(sockets.v6.get(), v6, IPPROTO_IPV6, IPV6_PKTINFO, "::1") == sent);
  }
}

TEST_CASE("reply sockets are opened for the families that are wanted") {
  enter_own_network();
  const auto v4 = *open_reply_sockets(std::span(kBoth).first(1));
  CHECK((v4.v4 && !v4.v6));
  const auto v6 = *open_reply_sockets(std::span(kBoth).last(1));
  CHECK((!v6.v4 && v6.v6));
}
