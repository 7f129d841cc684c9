// SPDX-License-Identifier: GPL-2.0-or-later
// How many system calls and bytes a change takes. A thread plays the kernel: it carries
// out all messages of a datagram, tells which one it refuses, and acknowledges the one
// that asks for it.
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <thread>

#include "netlink/route.hh"
#include "netlink/socket.hh"
#include "netlink/wireguard.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

constexpr uint16_t kFamily = 0x23;
constexpr IfIndex kLink{7};
constexpr uint64_t kAckBytes = NLMSG_HDRLEN + sizeof(nlmsgerr);

class Kernel {
 public:
  // Refuses the message of this sequence number; 0 for none.
  Kernel(UniqueFd fd, uint32_t refused)
      : fd_(std::move(fd)), refused_(refused), thread_([this] { serve(); }) {}
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  ~Kernel() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }

 private:
  void serve() const {
    std::vector<uint8_t> in(2 * kBatchBytes);
    for (;;) {
      const ssize_t n = ::recv(fd_.get(), in.data(), in.size(), 0);
      if (n <= 0) return;
      nlmsghdr h{};
      for (Bytes rest = Bytes(in).first(static_cast<size_t>(n)); !rest.empty();
           rest = behind(rest, h.nlmsg_len)) {
        if (!copy_front(rest, h) || h.nlmsg_len < sizeof h) return;
        const int error = h.nlmsg_seq == refused_ ? -EINVAL : 0;
        if (error == 0 && (h.nlmsg_flags & NLM_F_ACK) == 0) continue;
        if (!answer(h, error)) return;
      }
    }
  }
  [[nodiscard]] bool answer(const nlmsghdr& asked, int error) const {
    struct {
      nlmsghdr header;
      nlmsgerr error;
    } ack{};
    ack.header = {.nlmsg_len = sizeof ack,
                  .nlmsg_type = NLMSG_ERROR,
                  .nlmsg_flags = NLM_F_CAPPED,
                  .nlmsg_seq = asked.nlmsg_seq,
                  .nlmsg_pid = 0};
    ack.error = {.error = error, .msg = asked};
    return ::send(fd_.get(), &ack, sizeof ack, MSG_NOSIGNAL) >= 0;
  }

  UniqueFd fd_;
  uint32_t refused_;
  std::thread thread_;
};

struct Counted {
  Counted(UniqueFd ours, UniqueFd theirs, Protocol protocol, uint32_t refused)
      : kernel(std::move(theirs), refused), socket(std::move(ours), protocol) {}
  Kernel kernel;
  Socket socket;
};

std::unique_ptr<Counted> counted(Protocol protocol, uint32_t refused = 0) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  const int size = 1 << 20;
  REQUIRE(::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) == 0);
  return std::make_unique<Counted>(UniqueFd(ends[0]), UniqueFd(ends[1]), protocol,
                                   refused);
}

// Key, endpoint, keepalive, one allowed IP of either family.
PeerChange peer(uint32_t i, PeerChange::Kind kind) {
  std::array<uint8_t, kKeyBytes> key{};
  std::memcpy(key.data(), &i, sizeof i);
  if (kind == PeerChange::Kind::remove)
    return {.public_key = *Key::from_bytes(key), .kind = kind};
  return {.public_key = *Key::from_bytes(key),
          .kind = kind,
          .endpoint = Endpoint{Address::v4(0xc6120000 + i), 51820},
          .keepalive = 25,
          .allowed_ips = std::vector{Prefix::host(Address::v4(0x64400000 + i)),
                                     *Prefix::parse("fd00:6400::/128")}};
}

void check(const Socket& s, uint64_t sends, uint64_t bytes) {
  CHECK(s.counters().sends == sends);
  CHECK(s.counters().receives == sends);
  CHECK(s.counters().bytes_sent == bytes);
  CHECK(s.counters().bytes_received == sends * kAckBytes);
}

void carry_out(Socket& s, const DeviceChange& change) {
  REQUIRE(set_device(s, kFamily, kLink, change));
}

DeviceChange of(uint32_t n, PeerChange::Kind kind) {
  DeviceChange change;
  for (uint32_t i = 0; i < n; ++i) change.peers.push_back(peer(i, kind));
  return change;
}

}  // namespace

TEST_CASE("one changed peer is one send of 180 bytes and one receive") {
  const auto it = counted(Protocol::generic);
  carry_out(it->socket, {.peers = {peer(5, PeerChange::Kind::update)}});
  check(it->socket, 1, 180);
}

TEST_CASE("10,000 peers with 20,000 allowed IPs are 23 messages in 6 sends") {
  const auto it = counted(Protocol::generic);
  carry_out(it->socket, of(10'000, PeerChange::Kind::add));
  check(it->socket, 6, 23 * 32 + 10'000 * 148);
}

TEST_CASE("5,000 peers are removed with 4 messages in one send") {
  const auto it = counted(Protocol::generic);
  carry_out(it->socket, of(5'000, PeerChange::Kind::remove));
  check(it->socket, 1, 4 * 32 + 5'000 * 48);
}

TEST_CASE("a refused message is told, and nothing is sent after the send it was in") {
  const auto it = counted(Protocol::generic, 6);
  const auto done =
      set_device(it->socket, kFamily, kLink, of(10'000, PeerChange::Kind::add));
  REQUIRE_FALSE(done);
  CHECK(done.error().code == EINVAL);
  CHECK(done.error().what == "WG_CMD_SET_DEVICE: EINVAL: Invalid argument");
  // Messages 1 to 4, 5 to 8 with its refusal beside the acknowledgement.
  CHECK(it->socket.counters().sends == 2);
  CHECK(it->socket.counters().receives == 3);
  // The next change does not take what is left of this one for its own.
  CHECK(set_device(it->socket, kFamily, kLink, of(1, PeerChange::Kind::add)));
}

TEST_CASE("10,000 routes are 10 sends of what fits") {
  const auto it = counted(Protocol::route);
  std::vector<RouteChange> changes;
  changes.reserve(10'000);
  for (uint32_t i = 0; i < 10'000; ++i)
    changes.push_back(
        {.route = {.destination = *Prefix::make(Address::v4(0x0a000000 + (i << 8)), 24),
                   .table = 7120,
                   .device = kLink}});
  const auto refused = change_routes(it->socket, changes);
  REQUIRE(refused);
  CHECK(refused->empty());
  check(it->socket, 10, 10'000 * 52);
}
