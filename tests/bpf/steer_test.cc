// SPDX-License-Identifier: GPL-2.0-or-later
// dns_steer with real sockets: listeners on loopback addresses get what is sent to port
// 53 of our addresses, whoever else holds it.
#include "bpf/dns_steer.hh"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "bpf/probe.hh"
#include "tests/bpf/loopback.hh"
#include "tests/bpf/must.hh"
#include "tests/bpf/own_namespace.hh"
#include "tests/bpf/packet.hh"
#include "tests/bpf/programs.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

namespace {

constexpr uint16_t kReal = 5053;
const Address kOwn[] = {ip("100.64.0.1"), ip("fd00::1")};
const Endpoint kReal4{ip("127.0.0.1"), kReal}, kReal6{ip("::1"), kReal};
using Names = std::vector<std::string>;

PinDirectory own_pins() { return must(PinDirectory::open(bpffs() + "/wigeon")); }

struct Listeners {
  UniqueFd udp4 = bound(SOCK_DGRAM, kReal4), udp6 = bound(SOCK_DGRAM, kReal6);
  UniqueFd tcp4 = bound(SOCK_STREAM, kReal4), tcp6 = bound(SOCK_STREAM, kReal6);

  [[nodiscard]] DnsSteer::Listeners fds() const {
    return {udp4.get(), udp6.get(), tcp4.get(), tcp6.get()};
  }
  [[nodiscard]] int udp(const Address& own) const {
    return (own.is_v4() ? udp4 : udp6).get();
  }
  [[nodiscard]] int tcp(const Address& own) const {
    return (own.is_v4() ? tcp4 : tcp6).get();
  }
};

// Set up on lo, and steering to listeners.
DnsSteer steering(const Listeners& listeners, const PinDirectory* pins = nullptr) {
  loopback_up({kOwn[0], kOwn[1]});
  auto steer = must(DnsSteer::open(pins));
  must(steer.set_addresses(kOwn));
  must(steer.set_listeners(listeners.fds()));
  return steer;
}

// The text arrives there as a datagram to port 53.
bool gets(int listener, const Address& to, int milliseconds = kPatience) {
  tell_asked_port(listener);
  const UniqueFd client = bound(SOCK_DGRAM, {to, 0});
  send_to(client.get(), {to, DNS_PORT}, "query");
  const auto got = receive(listener, milliseconds);
  return got && got->text == "query" && got->from == name_of(client.get()) &&
         got->asked_port == DNS_PORT;
}

UniqueFd connected(const Endpoint& to) {
  UniqueFd fd(
      ::socket(to.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = to_sockaddr(to, storage);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0)
    fd.reset();
  return fd;
}

// A connection to port 53 is made with that listener, and both ends know it as that.
bool takes(int listener, const Address& to) {
  const UniqueFd client = connected({to, DNS_PORT});
  if (!client || !readable(listener)) return false;
  const UniqueFd server(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!server || ::send(server.get(), "answer", 6, 0) != 6) return false;
  const auto got = receive(client.get());
  return got && got->text == "answer" &&
         peer_of(client.get()) == Endpoint{to, DNS_PORT} &&
         name_of(server.get()) == Endpoint{to, DNS_PORT};
}

uint64_t count(const DnsSteer& steer, dns_steer_reason reason) {
  return must(steer.counters())[reason];
}

UniqueFd attach_foreign(int program) {
  const UniqueFd network(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  UniqueFd link(::bpf_link_create(program, network.get(), BPF_SK_LOOKUP, nullptr));
  REQUIRE(link);
  return link;
}

// How many sk_lookup programs this namespace has.
size_t attached() {
  const UniqueFd network(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  __u32 ids[16] = {}, n = 16, flags = 0;
  REQUIRE(::bpf_prog_query(network.get(), BPF_SK_LOOKUP, 0, &flags, ids, &n) == 0);
  return n;
}

}  // namespace

TEST_CASE("what is sent to port 53 of our addresses gets our listeners") {
  const Listeners listeners;
  const DnsSteer steer = steering(listeners);
  for (const Address& own : kOwn) {
    INFO(own.text());
    CHECK(gets(listeners.udp(own), own));
    CHECK(takes(listeners.tcp(own), own));
  }
  CHECK(must(steer.counters()) == DnsSteer::Counts{1, 1, 1, 1, 0, 0, 0});
  // Port 53 elsewhere, and other ports here, are what they are.
  const UniqueFd other = bound(SOCK_DGRAM, {ip("127.0.0.1"), DNS_PORT});
  CHECK(gets(other.get(), ip("127.0.0.1")));
  CHECK(count(steer, DNS_STEER_NOT_OURS) == 1);
  CHECK(!connected({kOwn[0], 54}));
  CHECK(must(steer.counters()) == DnsSteer::Counts{1, 1, 1, 1, 0, 0, 1});
}

TEST_CASE(
    "it wins over others who hold port 53, and they win the moment ours is closed") {
  const Address any4 = ip("0.0.0.0"), any6 = ip("::");
  for (const Address& own : kOwn)
    for (const Address& theirs : {own.is_v4() ? any4 : any6, own}) {
      INFO(own.text() << ", theirs " << theirs.text());
      const UniqueFd other = bound(SOCK_DGRAM, {theirs, DNS_PORT});
      const UniqueFd other_tcp = bound(SOCK_STREAM, {theirs, DNS_PORT});
      REQUIRE((other && other_tcp));
      std::optional<Listeners> listeners(std::in_place);
      const DnsSteer steer = steering(*listeners);
      CHECK(gets(listeners->udp(own), own));
      CHECK(takes(listeners->tcp(own), own));
      if (theirs.is_unspecified()) {
        const Address loopback = own.is_v4() ? ip("127.0.0.1") : ip("::1");
        CHECK(gets(other.get(), loopback));
        CHECK(takes(other_tcp.get(), loopback));
      }
      listeners.reset();
      CHECK(gets(other.get(), own));
      CHECK(takes(other_tcp.get(), own));
      CHECK(count(steer, DNS_STEER_NO_LISTENER) == 2);
    }
}

TEST_CASE("a listener that another process holds is one until that one ends, too") {
  std::optional<Listeners> listeners(std::in_place);
  const DnsSteer steer = steering(*listeners);
  const UniqueFd other = bound(SOCK_DGRAM, {kOwn[0], DNS_PORT});
  const UniqueFd copy(::fcntl(listeners->udp4.get(), F_DUPFD_CLOEXEC, 3));
  listeners.reset();
  CHECK(gets(copy.get(), kOwn[0]));
}

TEST_CASE("one without a place is left out, and all four are replaced") {
  const Listeners listeners;
  const DnsSteer steer = steering(listeners);
  must(steer.set_listeners({.udp6 = listeners.udp6.get()}));
  CHECK(!gets(listeners.udp4.get(), kOwn[0], kShort));
  CHECK(gets(listeners.udp6.get(), kOwn[1]));
  CHECK(!connected({kOwn[1], DNS_PORT}));
  const UniqueFd second = bound(SOCK_DGRAM, {ip("127.0.0.1"), 5054});
  must(steer.set_listeners({.udp4 = second.get()}));
  CHECK(gets(second.get(), kOwn[0]));
  CHECK(!gets(listeners.udp6.get(), kOwn[1], kShort));
  must(steer.set_listeners({}));
  must(steer.set_listeners({}));
}

TEST_CASE("a socket of another kind is refused, and nothing changes") {
  const Listeners l;
  const DnsSteer steer = steering(l);
  const auto refused = [&steer](const DnsSteer::Listeners& wrong, std::string_view said) {
    const auto result = steer.set_listeners(wrong);
    REQUIRE(!result);
    CHECK(result.error().code == EINVAL);
    CHECK(result.error().what == said);
  };
  refused({.udp4 = l.udp6.get()}, "listener for UDP, IPv4: of address family 10");
  refused({.udp6 = l.tcp6.get()}, "listener for UDP, IPv6: of protocol 6");
  refused({.tcp6 = l.tcp4.get()}, "listener for TCP, IPv6: of address family 2");
  const UniqueFd mute(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  refused({.tcp4 = mute.get()}, "listener for TCP, IPv4: does not listen");
  CHECK(steer.set_listeners({.tcp4 = 9999}).error().code == EBADF);
  CHECK(gets(l.udp4.get(), kOwn[0]));
}

TEST_CASE("addresses can be set anew while it runs") {
  const Listeners listeners;
  const DnsSteer steer = steering(listeners);
  const Address only[] = {kOwn[1]};
  must(steer.set_addresses(only));
  CHECK(!gets(listeners.udp4.get(), kOwn[0], kShort));
  CHECK(gets(listeners.udp6.get(), kOwn[1]));
  const std::vector<Address> many(DNS_ADDRESSES_MOST + 1);
  CHECK(steer.set_addresses(many).error().code == E2BIG);
  CHECK(gets(listeners.udp6.get(), kOwn[1]));
}

TEST_CASE("sk_lookup programs of others before and behind it change nothing") {
  const UniqueFd program = always(BPF_PROG_TYPE_SK_LOOKUP, SK_PASS);
  const UniqueFd before = attach_foreign(program.get());
  const Listeners listeners;
  const DnsSteer steer = steering(listeners);
  const UniqueFd behind = attach_foreign(program.get());
  CHECK(attached() == 3);
  for (const Address& own : kOwn) {
    CHECK(gets(listeners.udp(own), own));
    CHECK(takes(listeners.tcp(own), own));
  }
}

TEST_CASE("it wins over somebody else's steering that was there first") {
  const Listeners theirs_behind;
  const UniqueFd theirs = bound(SOCK_DGRAM, {ip("127.0.0.1"), 5060});
  const auto first = must(DnsSteer::open(nullptr));
  must(first.set_addresses(kOwn));
  must(first.set_listeners({.udp4 = theirs.get()}));
  const DnsSteer steer = steering(theirs_behind);
  CHECK(gets(theirs_behind.udp4.get(), kOwn[0]));
  CHECK(count(first, DNS_STEERED_UDP4) == 1);
  CHECK(count(steer, DNS_STEERED_UDP4) == 1);
}

TEST_CASE("without pins it ends with its object") {
  CHECK(attached() == 0);
  {
    const auto steer = must(DnsSteer::open(nullptr));
    CHECK(attached() == 1);
  }
  CHECK(attached() == 0);
}

TEST_CASE("it knows when somebody has detached it, and the next one attaches again") {
  const PinDirectory pins = own_pins();
  const auto steer = must(DnsSteer::open(&pins));
  CHECK(must(steer.attached()));
  const auto link = must(pins.get(pin::kSteer));
  REQUIRE(::bpf_link_detach(link->get()) == 0);
  CHECK(!must(steer.attached()));
  const auto next = must(DnsSteer::open(&pins));
  CHECK(must(next.attached()));
  CHECK(attached() == 1);
  must(DnsSteer::remove(pins));
}

TEST_CASE(
    "killed, it goes on, and the next one finds addresses, listeners and counters") {
  const PinDirectory pins = own_pins();
  const Listeners listeners;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto steer = DnsSteer::open(&pins);
    if (steer && steer->set_addresses(kOwn) && steer->set_listeners(listeners.fds()))
      ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(gets(listeners.udp4.get(), kOwn[0]));

  const auto next = must(DnsSteer::open(&pins));
  CHECK(attached() == 1);  // replaced, not added
  CHECK(gets(listeners.udp4.get(), kOwn[0]));
  CHECK(count(next, DNS_STEERED_UDP4) == 2);
  CHECK(must(pins.list()) == Names{"dns_steer", "dns_steer_addresses", "dns_steer_counts",
                                   "dns_steer_listeners"});
  must(DnsSteer::remove(pins));
  CHECK(attached() == 0);
  CHECK(must(pins.list()).empty());
  must(DnsSteer::remove(pins));
}

TEST_CASE("the program that steers is the new one's") {
  const PinDirectory pins = own_pins();
  const auto first = must(DnsSteer::open(&pins)), second = must(DnsSteer::open(&pins));
  const UniqueFd network(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  __u32 id = 0, n = 1, flags = 0;
  REQUIRE(::bpf_prog_query(network.get(), BPF_SK_LOOKUP, 0, &flags, &id, &n) == 0);
  CHECK(id == must(second.about()).id);
  CHECK(id != must(first.about()).id);
  CHECK(must(second.about()).name == "dns_steer");
  must(DnsSteer::remove(pins));
}

TEST_CASE("a link to another network namespace, or to one that ended, is replaced") {
  const PinDirectory pins = own_pins();
  const bool ended = GENERATE(false, true);
  const UniqueFd here(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  REQUIRE(::unshare(CLONE_NEWNET) == 0);
  UniqueFd there(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  must(DnsSteer::open(&pins));
  REQUIRE(::setns(here.get(), CLONE_NEWNET) == 0);
  if (ended) there.reset();  // the kernel takes its time, which is all the same
  CHECK(attached() == 0);
  const Listeners listeners;
  const DnsSteer steer = steering(listeners, &pins);
  CHECK(attached() == 1);
  CHECK(gets(listeners.udp4.get(), kOwn[0]));
  must(DnsSteer::remove(pins));
  CHECK(attached() == 0);
}

TEST_CASE(
    "listeners and counters that another version left in another shape are replaced") {
  const PinDirectory pins = own_pins();
  const UniqueFd counts(
      ::bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "other", 4, 8, 2, nullptr));
  must(pins.put(counts.get(), pin::kSteerCounts));
  const UniqueFd sockets(
      ::bpf_map_create(BPF_MAP_TYPE_SOCKMAP, "other", 4, 4, 4, nullptr));
  must(pins.put(sockets.get(), pin::kSteerListeners));
  const Listeners listeners;
  const DnsSteer steer = steering(listeners, &pins);
  CHECK(gets(listeners.udp4.get(), kOwn[0]));
  CHECK(count(steer, DNS_STEERED_UDP4) == 1);
  must(DnsSteer::remove(pins));
}

TEST_CASE("a datagram of 30 kB is steered as a whole") {
  const Listeners listeners;
  const DnsSteer steer = steering(listeners);
  loopback_mtu(1500);
  const std::string much(30'000, 'y');
  for (const Address& own : kOwn) {
    const UniqueFd client = bound(SOCK_DGRAM, {own, 0});
    send_to(client.get(), {own, DNS_PORT}, much);
    const auto got = receive(listeners.udp(own));
    REQUIRE(got);
    CHECK(got->text == much);
  }
  loopback_mtu(65536);
}
