// SPDX-License-Identifier: GPL-2.0-or-later
// How many system calls and bytes a change takes. A thread plays the kernel: it
// acknowledges each datagram's last message, if that asks for it.
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
  explicit Kernel(UniqueFd fd) : fd_(std::move(fd)), thread_([this] { serve(); }) {}
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  ~Kernel() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }

 private:
  void serve() const {
    std::vector<uint8_t> in(1 << 17);
    for (;;) {
      const ssize_t n = ::recv(fd_.get(), in.data(), in.size(), 0);
      if (n <= 0) return;
      nlmsghdr last{};
      for (Bytes rest = Bytes(in).first(static_cast<size_t>(n)); !rest.empty();
           rest = behind(rest, last.nlmsg_len))
        if (!copy_front(rest, last) || last.nlmsg_len < sizeof last) return;
      if ((last.nlmsg_flags & NLM_F_ACK) == 0) continue;
      struct {
        nlmsghdr header;
        nlmsgerr error;
      } ack{};
      ack.header = {.nlmsg_len = sizeof ack,
                    .nlmsg_type = NLMSG_ERROR,
                    .nlmsg_flags = NLM_F_CAPPED,
                    .nlmsg_seq = last.nlmsg_seq,
                    .nlmsg_pid = 0};
      ack.error.msg = last;
      if (::send(fd_.get(), &ack, sizeof ack, MSG_NOSIGNAL) < 0) return;
    }
  }

  UniqueFd fd_;
  std::thread thread_;
};

struct Counted {
  Counted(UniqueFd ours, UniqueFd theirs, Protocol protocol)
      : kernel(std::move(theirs)), socket(std::move(ours), protocol) {}
  Kernel kernel;
  Socket socket;
};

std::unique_ptr<Counted> counted(Protocol protocol) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  const int size = 1 << 20;
  REQUIRE(::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) == 0);
  return std::make_unique<Counted>(UniqueFd(ends[0]), UniqueFd(ends[1]), protocol);
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

// As WireGuard::set does it.
void carry_out(Socket& s, const DeviceChange& change) {
  for (const auto& m : encode_set(kFamily, kLink, change)) REQUIRE(s.request(m.get()));
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

TEST_CASE("10,000 peers with 20,000 allowed IPs are 23 sends") {
  const auto it = counted(Protocol::generic);
  carry_out(it->socket, of(10'000, PeerChange::Kind::add));
  check(it->socket, 23, 23 * 32 + 10'000 * 148);
}

TEST_CASE("5,000 peers are removed with 4 sends") {
  const auto it = counted(Protocol::generic);
  carry_out(it->socket, of(5'000, PeerChange::Kind::remove));
  check(it->socket, 4, 4 * 32 + 5'000 * 48);
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
