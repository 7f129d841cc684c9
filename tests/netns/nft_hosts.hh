// SPDX-License-Identifier: GPL-2.0-or-later
// A router (the test's own namespace) and who is around it. A socket stays in the
// namespace it was made in, so all of them are played by this one process.
//
//   peer 100.64.0.9, fd00:77::9 ── wt0 ┐
//   lan 192.168.7.2, 10.1.0.1, 10.2.0.1, fd00:7::2 ── eth0 ┤ router 100.64.0.1,
//   net 198.51.100.2, 203.0.113.5, 10.9.0.1 ── eth1 ┘ fd00:77::1, x.x.x.1, fd00:7::1
//
// wt0 is a veth of MTU 1280 here; all others have 1500.
#pragma once

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>

#include <chrono>
#include <optional>

#include "netlink/nftables.hh"
#include "tests/netns/netlink_namespace.hh"

namespace wigeon::netlink {

inline constexpr std::chrono::milliseconds kArrives{3000};
inline constexpr std::chrono::milliseconds kNeverArrives{300};

class Host {
 public:
  // Empty: the router.
  explicit Host(const std::string& name)
      : ns_(::open(name.empty() ? "/proc/self/ns/net" : ("/run/netns/" + name).c_str(),
                   O_RDONLY | O_CLOEXEC)) {
    REQUIRE(ns_);
  }
  [[nodiscard]] UniqueFd socket(Family family, int type) const {
    const UniqueFd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    REQUIRE(::setns(ns_.get(), CLONE_NEWNET) == 0);
    UniqueFd fd(::socket(static_cast<int>(family), type | SOCK_CLOEXEC, 0));
    REQUIRE(::setns(home.get(), CLONE_NEWNET) == 0);
    REQUIRE(fd);
    return fd;
  }
  // Bound to this endpoint, listening when it is TCP.
  [[nodiscard]] UniqueFd server(const std::string& at, int type) const {
    const auto e = endpoint(at);
    auto fd = socket(e.address.family(), type);
    const int on = 1;
    REQUIRE(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    bind(fd.get(), e);
    if (type == SOCK_STREAM) REQUIRE(::listen(fd.get(), 16) == 0);
    return fd;
  }

  static Endpoint endpoint(const std::string& text) {
    // Endpoint::parse refuses port 0, which bind(2) takes for any.
    if (text.ends_with(":0")) {
      auto e = *Endpoint::parse(text.substr(0, text.size() - 1) + "1");
      e.port = 0;
      return e;
    }
    return *Endpoint::parse(text);
  }
  static void bind(int fd, const Endpoint& e) {
    sockaddr_storage s{};
    const auto length = to_sockaddr(e, s);
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&s), length) == 0);
  }

 private:
  UniqueFd ns_;
};

inline bool ready(int fd, short events, std::chrono::milliseconds at_most) {
  pollfd p{.fd = fd, .events = events, .revents = 0};
  return ::poll(&p, 1, static_cast<int>(at_most.count())) == 1;
}

// Who a datagram came from, as the receiver sees it; none when there was none.
inline std::optional<Endpoint> received(int fd, std::chrono::milliseconds at_most) {
  if (!ready(fd, POLLIN, at_most)) return std::nullopt;
  char byte = 0;
  sockaddr_storage s{};
  socklen_t length = sizeof s;
  REQUIRE(::recvfrom(fd, &byte, 1, 0, reinterpret_cast<sockaddr*>(&s), &length) >= 0);
  return *from_sockaddr(reinterpret_cast<sockaddr*>(&s), length);
}

inline void send_to(int fd, const std::string& to) {
  sockaddr_storage s{};
  const auto length = to_sockaddr(Host::endpoint(to), s);
  // ENETUNREACH and the like are for the receiver to miss.
  (void)::sendto(fd, "x", 1, MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&s), length);
}

// A TCP connection, seen from both ends.
struct Connection {
  UniqueFd client{}, server{};
  Endpoint seen{};  // the client, by the server
  [[nodiscard]] int server_mss() const {
    int mss = 0;
    socklen_t length = sizeof mss;
    REQUIRE(::getsockopt(server.get(), IPPROTO_TCP, TCP_MAXSEG, &mss, &length) == 0);
    return mss;
  }
};

inline std::optional<Connection> connected(const Host& from, const std::string& to,
                                           int listener,
                                           std::chrono::milliseconds at_most) {
  const auto e = Host::endpoint(to);
  Connection c;
  c.client = from.socket(e.address.family(), SOCK_STREAM | SOCK_NONBLOCK);
  sockaddr_storage s{};
  auto length = to_sockaddr(e, s);
  (void)::connect(c.client.get(), reinterpret_cast<sockaddr*>(&s), length);
  int error = 0;
  socklen_t size = sizeof error;
  if (!ready(c.client.get(), POLLOUT, at_most) ||
      ::getsockopt(c.client.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 ||
      error != 0 || !ready(listener, POLLIN, at_most))
    return std::nullopt;
  length = sizeof s;
  c.server.reset(
      ::accept4(listener, reinterpret_cast<sockaddr*>(&s), &length, SOCK_CLOEXEC));
  REQUIRE(c.server);
  c.seen = *from_sockaddr(reinterpret_cast<sockaddr*>(&s), length);
  return c;
}

inline std::string output_of(const std::string& command) {
  INFO(command);
  const Owned<FILE, ::pclose> pipe(::popen(command.c_str(), "r"));
  REQUIRE(pipe);
  std::string text;
  char buffer[4096];
  while (const size_t n = ::fread(buffer, 1, sizeof buffer, pipe.get()))
    text.append(buffer, n);
  return text;
}

class Hosts {
 public:
  Hosts() {
    if (std::system("command -v nft >/dev/null") != 0) skip("needs nft");
    remove();  // what a failed constructor left
    run(R"(
set -e
for h in peer lan net; do ip netns add $h; ip -n $h link set lo up; done
for way in "wt0 peer" "eth0 lan" "eth1 net"; do
  set -- $way
  ip link add $1 type veth peer name way netns $2
  ip -n $2 link set way up
  ip link set $1 up
done
ip link set wt0 mtu 1280
# rp_filter of new devices may come from this machine's settings.
for conf in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$conf; done
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
ip address add 100.64.0.1/16 dev wt0
ip address add fd00:77::1/64 dev wt0 nodad
ip address add 192.168.7.1/24 dev eth0
ip address add fd00:7::1/64 dev eth0 nodad
ip address add 198.51.100.1/24 dev eth1
ip route add default via 198.51.100.2
ip route add 10.1.0.0/16 via 192.168.7.2
ip route add 10.2.0.0/16 via 192.168.7.2
ip -n peer address add 100.64.0.9/16 dev way
ip -n peer address add fd00:77::9/64 dev way nodad
ip -n peer route add default via 100.64.0.1
ip -n peer route add default via fd00:77::1
ip -n lan address add 192.168.7.2/24 dev way
ip -n lan address add fd00:7::2/64 dev way nodad
for a in 10.1.0.1 10.2.0.1; do ip -n lan address add $a/32 dev lo; done
ip -n lan route add default via 192.168.7.1
ip -n lan route add default via fd00:7::1
ip -n net address add 198.51.100.2/24 dev way
for a in 203.0.113.5 10.9.0.1; do ip -n net address add $a/32 dev lo; done
ip -n net route add default via 198.51.100.1
)");
    peer.emplace("peer");
    lan.emplace("lan");
    net.emplace("net");
    router.emplace("");
  }
  ~Hosts() {
    peer.reset();
    lan.reset();
    net.reset();
    remove();
  }
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;

  std::optional<Host> peer{}, lan{}, net{}, router{};

 private:
  static void remove() {
    (void)std::system(
        "{ for h in peer lan net; do ip netns delete $h; done; "
        "for d in wt0 eth0 eth1 docker0; do ip link delete $d; done; nft flush ruleset; "
        "} "
        "2>/dev/null");
  }
};

inline Nftables nftables() {
  auto n = Nftables::open();
  INFO((n ? "" : n.error().what));
  REQUIRE(n);
  return std::move(*n);
}

inline void load(Nftables& nft, const std::string& commands) {
  INFO(commands);
  const auto done = nft.apply(commands);
  INFO((done ? "" : done.error().what));
  REQUIRE(done);
}

}  // namespace wigeon::netlink
