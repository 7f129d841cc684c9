// SPDX-License-Identifier: GPL-2.0-or-later
// dns_redirect on lo with real sockets, each way that this kernel has: the client asks
// port 53, our listener has the real port, and somebody else may have port 53.
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/udp.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "bpf/dns_redirect.hh"
#include "tests/bpf/frame.hh"
#include "tests/bpf/loopback.hh"
#include "tests/bpf/must.hh"
#include "tests/bpf/own_namespace.hh"
#include "tests/bpf/programs.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

namespace {

constexpr uint16_t kDns = DNS_PORT, kReal = 5053;
// struct virtio_net_hdr, whose header is not C++: no offload, nothing in the linear part
constexpr size_t kVirtioHeader = 10;
const Address kOwn4 = ip("100.64.0.1"), kOwn6 = ip("fd00::1");
const Address kOwn[] = {kOwn4, kOwn6};

void up() { loopback_up({kOwn4, kOwn6}); }

std::vector<Place> ways() {
  std::vector<Place> all = {{kLoopback, Hook::xdp, Way::xdp_link},
                            {kLoopback, Hook::tc_ingress, Way::clsact_filter}};
  if (probe().have(Feature::tcx))
    all.push_back({kLoopback, Hook::tc_ingress, Way::tcx_link});
  return all;
}

// Attached with settings; a clsact filter goes, too, at the end.
class Attached {
 public:
  explicit Attached(const Place& place)
      : redirect_(must(PortRedirect::open(place, nullptr))) {
    set(false);
  }
  ~Attached() { CHECK(std::move(redirect_).detach()); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

  void set(bool draining) const {
    must(redirect_.set({.own = kOwn, .port = kReal, .draining = draining}));
  }
  [[nodiscard]] uint64_t count(dns_redirect_reason reason) const {
    return must(redirect_.counters())[reason];
  }

 private:
  PortRedirect redirect_;
};

UniqueFd client(int type, const Endpoint& to) {
  const bool v4 = to.address.is_v4();
  UniqueFd fd(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
  REQUIRE(fd);
  sockaddr_storage storage{};
  const socklen_t length = to_sockaddr(to, storage);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0)
    fd.reset();
  return fd;
}

UniqueFd accepted(int listener) {
  REQUIRE(readable(listener));
  UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(fd);
  return fd;
}

void say(int socket, std::string_view text) {
  REQUIRE(::send(socket, text.data(), text.size(), 0) ==
          static_cast<ssize_t>(text.size()));
}
std::string hear(int socket) {
  const auto d = receive(socket);
  return d ? d->text : "nothing";
}

// Who gets a query, and what the client sees of the answer.
std::string asked(const UniqueFd& asking, const UniqueFd& answering) {
  say(asking.get(), "query");
  const auto query = receive(answering.get());
  if (!query) return "no query";
  send_to(answering.get(), query->from, "answer to " + query->text);
  return hear(asking.get());
}

// Segments of 64 kB get there as they were. Few of them: where the kernel has no
// memory in one piece for one, XDP on lo makes it wait.
bool carries(int from, int to) {
  std::string much(1 << 18, 'x'), got(much.size(), 0);
  for (size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>('a' + i * 7 % 26);
  for (size_t sent = 0, have = 0; have < much.size();) {
    const ssize_t n =
        ::send(from, much.data() + sent, much.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<size_t>(n);
    if (!readable(to)) return false;
    const ssize_t more = ::recv(to, got.data() + have, got.size() - have, 0);
    if (more <= 0) return false;
    have += static_cast<size_t>(more);
  }
  return got == much;
}

}  // namespace

TEST_CASE("a datagram to port 53 is answered from there, and one to the real port too") {
  up();
  for (const Place& place : ways())
    for (const Address& own : kOwn) {
      INFO("way " << static_cast<int>(place.way) << " " << own.text());
      const Attached redirect(place);
      const UniqueFd listener = bound(SOCK_DGRAM, {own, kReal});
      const UniqueFd dns = client(SOCK_DGRAM, {own, kDns});
      CHECK(asked(dns, listener) == "answer to query");
      CHECK(redirect.count(DNS_REDIRECTED_UDP) == 1);
      CHECK(redirect.count(DNS_ANSWERED_UDP) == 1);
      const UniqueFd direct = client(SOCK_DGRAM, {own, kReal});
      CHECK(asked(direct, listener) == "answer to query");
      CHECK(redirect.count(DNS_ASKED_DIRECTLY) == 1);
      // One socket for both: the answer comes from where it asked last.
      const UniqueFd both = bound(SOCK_DGRAM, {own, 0});
      for (const uint16_t port : {kDns, kReal, kDns}) {
        send_to(both.get(), {own, port}, "query");
        const auto query = receive(listener.get());
        REQUIRE(query);
        send_to(listener.get(), query->from, "answer");
        const auto answer = receive(both.get());
        REQUIRE(answer);
        CHECK(answer->from == Endpoint{own, port});
      }
      CHECK(redirect.count(DNS_NO_LISTENER) == 0);
    }
}

TEST_CASE("a datagram without a checksum is answered, too") {
  up();
  for (const Place& place : ways()) {
    const Attached redirect(place);
    const UniqueFd listener = bound(SOCK_DGRAM, {kOwn4, kReal});
    const UniqueFd dns = client(SOCK_DGRAM, {kOwn4, kDns});
    const int on = 1;
    for (const UniqueFd* fd : {&listener, &dns})
      REQUIRE(::setsockopt(fd->get(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)) == 0);
    CHECK(asked(dns, listener) == "answer to query");
  }
}

TEST_CASE("a connection to port 53 is one, whatever its size, and one to the real port") {
  up();
  for (const Place& place : ways())
    for (const Address& own : kOwn)
      for (const uint16_t port : {kDns, kReal}) {
        INFO("way " << static_cast<int>(place.way) << " " << own.text() << " " << port);
        const Attached redirect(place);
        const UniqueFd listener = bound(SOCK_STREAM, {own, kReal});
        const UniqueFd dns = client(SOCK_STREAM, {own, port});
        REQUIRE(dns);
        CHECK(peer_of(dns.get()) == Endpoint{own, port});
        const UniqueFd server = accepted(listener.get());
        CHECK(name_of(server.get()) == Endpoint{own, kReal});
        CHECK(carries(dns.get(), server.get()));
        CHECK(carries(server.get(), dns.get()));
        CHECK((redirect.count(DNS_REDIRECTED_TCP) > 2) == (port == kDns));
        CHECK((redirect.count(DNS_ANSWERED_TCP) > 2) == (port == kDns));
      }
}

TEST_CASE("a packet of more than 64 kB, whose header does not say so, is rewritten") {
  up();
  if (!loopback_segments(180'000)) {
    WARN("no such packets on this kernel (before Linux 5.19)");
    return;
  }
  for (const Place& place : ways())
    for (const Address& own : kOwn) {
      INFO("way " << static_cast<int>(place.way) << " " << own.text());
      const Attached redirect(place);
      const UniqueFd listener = bound(SOCK_STREAM, {own, kReal});
      const UniqueFd dns = client(SOCK_STREAM, {own, kDns});
      REQUIRE(dns);
      const UniqueFd server = accepted(listener.get());
      CHECK(carries(dns.get(), server.get()));
      CHECK(carries(server.get(), dns.get()));
      CHECK(redirect.count(DNS_MALFORMED) == 0);
    }
  REQUIRE(loopback_segments(65536));
}

TEST_CASE("datagrams that are sent as one are redirected") {
  up();
  for (const Place& place : ways())
    for (const Address& own : kOwn) {
      const Attached redirect(place);
      const UniqueFd listener = bound(SOCK_DGRAM, {own, kReal});
      const UniqueFd dns = client(SOCK_DGRAM, {own, kDns});
      const int each = 1'000;
      REQUIRE(::setsockopt(dns.get(), SOL_UDP, UDP_SEGMENT, &each, sizeof(each)) == 0);
      say(dns.get(), std::string(3 * each, 'x'));
      for (int i = 0; i < 3; ++i) CHECK(hear(listener.get()) == std::string(each, 'x'));
      // Whether the kernel leaves them one on lo is its own business.
      CHECK(redirect.count(DNS_REDIRECTED_UDP) > 0);
    }
}

TEST_CASE("ours wins over others who hold port 53, and they win the moment we are gone") {
  up();
  const Address any4 = ip("0.0.0.0"), any6 = ip("::");
  for (const Place& place : ways())
    for (const Address& own : kOwn)
      for (const Address& theirs : {own.is_v4() ? any4 : any6, own}) {
        INFO("way " << static_cast<int>(place.way) << " theirs " << theirs.text());
        const UniqueFd other = bound(SOCK_DGRAM, {theirs, kDns});
        const UniqueFd other_tcp = bound(SOCK_STREAM, {theirs, kDns});
        REQUIRE((other && other_tcp));
        const Attached redirect(place);
        UniqueFd listener = bound(SOCK_DGRAM, {own, kReal});
        UniqueFd listener_tcp = bound(SOCK_STREAM, {own, kReal});
        const UniqueFd dns = client(SOCK_DGRAM, {own, kDns});
        CHECK(asked(dns, listener) == "answer to query");
        UniqueFd tcp = client(SOCK_STREAM, {own, kDns});
        const UniqueFd kept = accepted(listener_tcp.get());

        // Their own service is unharmed.
        const Address loopback = own.is_v4() ? ip("127.0.0.1") : ip("::1");
        if (theirs.is_unspecified()) {
          CHECK(asked(client(SOCK_DGRAM, {loopback, kDns}), other) == "answer to query");
          REQUIRE(client(SOCK_STREAM, {loopback, kDns}));
          accepted(other_tcp.get());
        }

        listener.reset();
        listener_tcp.reset();
        CHECK(asked(dns, other) == "answer to query");
        tcp = client(SOCK_STREAM, {own, kDns});
        REQUIRE(tcp);
        const UniqueFd server = accepted(other_tcp.get());
        say(tcp.get(), "query");
        CHECK(hear(server.get()) == "query");
        say(server.get(), "answer");
        CHECK(hear(tcp.get()) == "answer");
        CHECK(redirect.count(DNS_NO_LISTENER) >= 2);
      }
}

TEST_CASE("a connection to somebody else's port 53 outlives our coming") {
  up();
  for (const Place& place : ways())
    for (const Address& own : kOwn) {
      const UniqueFd other = bound(SOCK_STREAM, {own, kDns});
      const UniqueFd dns = client(SOCK_STREAM, {own, kDns});
      const UniqueFd server = accepted(other.get());
      const UniqueFd listener = bound(SOCK_STREAM, {own, kReal});
      const Attached redirect(place);
      say(dns.get(), "query");
      CHECK(hear(server.get()) == "query");
      say(server.get(), "answer");
      CHECK(hear(dns.get()) == "answer");
      CHECK(redirect.count(DNS_OTHER_CONNECTION) > 0);
    }
}

TEST_CASE("while it drains new questions go to the next one, and nothing is lost") {
  up();
  for (const Place& place : ways())
    for (const Address& own : kOwn) {
      INFO("way " << static_cast<int>(place.way) << " " << own.text());
      const Attached redirect(place);
      const UniqueFd listener = bound(SOCK_DGRAM, {own, kReal});
      const UniqueFd listener_tcp = bound(SOCK_STREAM, {own, kReal});
      const UniqueFd other = bound(SOCK_DGRAM, {own, kDns});
      const UniqueFd dns = client(SOCK_DGRAM, {own, kDns});
      const UniqueFd tcp = client(SOCK_STREAM, {own, kDns});
      const UniqueFd server = accepted(listener_tcp.get());
      say(dns.get(), "before");
      const auto query = receive(listener.get());
      REQUIRE(query);
      redirect.set(true);
      send_to(listener.get(), query->from, "late answer");
      CHECK(hear(dns.get()) == "late answer");
      CHECK(asked(dns, other) == "answer to query");
      say(tcp.get(), "query");
      CHECK(hear(server.get()) == "query");
      say(server.get(), "answer");
      CHECK(hear(tcp.get()) == "answer");
    }
}

TEST_CASE("one hook takes over from the other and every question is answered") {
  up();
  const std::vector<Place> all = ways();
  for (const Place& from : all)
    for (const Place& to : all) {
      if (from.hook == to.hook) continue;
      INFO("way " << static_cast<int>(from.way) << " to " << static_cast<int>(to.way));
      const UniqueFd listener = bound(SOCK_DGRAM, {kOwn4, kReal});
      const UniqueFd dns = client(SOCK_DGRAM, {kOwn4, kDns});
      const UniqueFd second = client(SOCK_DGRAM, {kOwn4, kDns});
      std::optional<Attached> old(std::in_place, from);
      say(dns.get(), "before");
      const auto query = receive(listener.get());
      REQUIRE(query);
      const Attached fresh(to);
      CHECK(asked(second, listener) == "answer to query");
      old->set(true);
      CHECK(asked(second, listener) == "answer to query");
      send_to(listener.get(), query->from, "late answer");
      CHECK(hear(dns.get()) == "late answer");
      old.reset();
      CHECK(asked(second, listener) == "answer to query");
      CHECK(asked(dns, listener) == "answer to query");
    }
}

TEST_CASE("datagrams of 30 kB arrive in fragments, both ways") {
  up();
  loopback_mtu(1500);
  const std::string much(30'000, 'y');
  for (const Place& place : ways())
    for (const Address& own : kOwn) {
      INFO("way " << static_cast<int>(place.way) << " " << own.text());
      const Attached redirect(place);
      const UniqueFd listener = bound(SOCK_DGRAM, {own, kReal});
      const UniqueFd dns = client(SOCK_DGRAM, {own, kDns});
      say(dns.get(), much);
      const auto query = receive(listener.get());
      REQUIRE(query);
      CHECK(query->text == much);
      send_to(listener.get(), query->from, much);
      CHECK(hear(dns.get()) == much);
      CHECK(redirect.count(DNS_REDIRECTED_UDP) == 1);
      CHECK(redirect.count(DNS_ANSWERED_UDP) == 1);
    }
  loopback_mtu(65536);
}

TEST_CASE("headers that are not where they can be read are read") {
  up();
  loopback_accept_own();
  // The kernel leaves all but the Ethernet header of such a packet in pages.
  const Bytes payload(5'000, 'z');
  const UniqueFd raw(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  const int on = 1;
  REQUIRE(::setsockopt(raw.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) == 0);
  sockaddr_ll lo{};
  lo.sll_family = AF_PACKET;
  lo.sll_ifindex = static_cast<int>(kLoopback);
  for (const Place& place : ways())
    for (const Address& own : kOwn) {
      INFO("way " << static_cast<int>(place.way) << " " << own.text());
      const Attached redirect(place);
      const UniqueFd listener = bound(SOCK_DGRAM, {own, kReal});
      Frame query{.src = own, .dst = own, .payload = payload};
      if (own.is_v4())
        query.option_words = 10;
      else
        query.extensions = {{.type = IPPROTO_DSTOPTS, .more = 40}};
      Bytes frame(kVirtioHeader);
      const Bytes bytes = query.bytes();
      frame.insert(frame.end(), bytes.begin(), bytes.end());
      REQUIRE(::sendto(raw.get(), frame.data(), frame.size(), 0,
                       reinterpret_cast<const sockaddr*>(&lo),
                       sizeof(lo)) == static_cast<ssize_t>(frame.size()));
      const auto got = receive(listener.get());
      CHECK(redirect.count(DNS_REDIRECTED_UDP) == 1);
      CHECK(redirect.count(DNS_MALFORMED) == 0);
      REQUIRE(got);
      CHECK(got->text == std::string(payload.begin(), payload.end()));
    }
}

TEST_CASE("a resolver that dies breaks its connections at once") {
  up();
  for (const Place& place : ways()) {
    const Attached redirect(place);
    UniqueFd listener = bound(SOCK_STREAM, {kOwn4, kReal});
    const UniqueFd dns = client(SOCK_STREAM, {kOwn4, kDns});
    UniqueFd server = accepted(listener.get());
    say(dns.get(), "query");
    REQUIRE(readable(server.get()));
    listener.reset();
    server.reset();  // with an unread query: a reset
    REQUIRE(readable(dns.get()));
    char byte = 0;
    CHECK(::recv(dns.get(), &byte, 1, 0) == -1);
    CHECK(errno == ECONNRESET);
  }
}
