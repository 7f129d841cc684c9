// SPDX-License-Identifier: GPL-2.0-or-later
// What clients may do to the resolver process, and what must still work then.
#include <poll.h>

#include <filesystem>
#include <random>

#include "tests/netns/dns_resolver_process.hh"
#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

constexpr const char* kPeer = "192.0.2.7";

UniqueFd client(const Running& r, int kind, const char* from = "127.0.0.1") {
  UniqueFd fd(::socket(AF_INET, kind, 0));
  sockaddr_storage storage;
  auto size = to_sockaddr({*Address::parse(from), 0}, storage);
  auto* sa = reinterpret_cast<sockaddr*>(&storage);
  REQUIRE(::bind(fd.get(), sa, size) == 0);
  size = to_sockaddr({*Address::parse("127.0.0.1"), r.port}, storage);
  REQUIRE(::connect(fd.get(), sa, size) == 0);
  return fd;
}

size_t receive(int fd, std::span<uint8_t> into, int milliseconds) {
  pollfd w{.fd = fd, .events = POLLIN, .revents = 0};
  if (::poll(&w, 1, milliseconds) <= 0) return 0;
  const ssize_t n = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
  return n < 0 ? 0 : static_cast<size_t>(n);
}

long resident_kilobytes(const Running& r) { return std::stol(r.status_line("VmRSS")); }
size_t descriptors(const Running& r) {
  const auto folder = "/proc/" + std::to_string(r.resolver->pid()) + "/fd";
  const std::filesystem::directory_iterator all(folder);
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}
bool is_released(const Running& r) {
  return r.hellos.at(0).sandbox.find("system calls") != std::string::npos;
}

}  // namespace

TEST_CASE("a flood of malformed queries keeps nobody from an answer, and no memory") {
  const char* wanted = std::getenv("WIGEON_MUTATIONS");  // 1000000: all of G6
  Running r;
  const size_t total = wanted ? std::stoul(wanted) : is_released(r) ? 200'000 : 40'000;
  const auto fd = client(r, SOCK_DGRAM);
  std::minstd_rand random(11);
  std::vector<std::vector<uint8_t>> seeds;
  for (const int edns : {-1, 512, 1232})
    for (const char* name : {"alpha.wigeon.test", "none.wigeon.test", "x.localhost",
                             "1.0.64.100.in-addr.arpa", "wigeon.test"})
      for (const uint16_t t : {type::kA, type::kAaaa, type::kTxt, type::kSoa, type::kAny})
        seeds.push_back(make_query({.name = name, .type = t, .id = 0, .edns = edns}));
  std::vector<uint8_t> reply(65536);
  uint16_t probe = 0;
  size_t probes = 0, answered = 0;
  long base = 0;
  for (size_t i = 0; i < total; ++i) {
    if (i == total / 10) base = resident_kilobytes(r);
    if (i % 16 != 0) {
      auto q = seeds[random() % seeds.size()];
      for (auto changes = 1 + random() % 4; changes > 0; --changes)
        q[random() % q.size()] = static_cast<uint8_t>(random());
      if (random() % 8 == 0) q.resize(random() % 64);
      // Not the id of a probe, and not a name for upstream servers, which there are none.
      if (q.size() > 1) q[0] = 0;
      (void)::send(fd.get(), q.data(), q.size(), 0);
      continue;
    }
    probe = static_cast<uint16_t>(0x8000 | (probe + 1));
    const auto q = make_query({.name = "alpha.wigeon.test", .id = probe});
    REQUIRE(::send(fd.get(), q.data(), q.size(), 0) == static_cast<ssize_t>(q.size()));
    ++probes;
    for (size_t n = 1; n > 0;) {
      n = receive(fd.get(), reply, 5000);
      if (n < 12 || reply[0] != q[0] || reply[1] != q[1]) continue;
      answered += text(Bytes(reply).first(n)).find("100.64.0.1") != std::string::npos;
      break;
    }
  }
  CHECK(answered == probes);
  if (is_released(r)) CHECK(resident_kilobytes(r) - base <= 64);
  CHECK(r.exits.empty());
}

// Everything at once and again: local and foreign names, TCP, garbage, floods of peers,
// flushes, new configurations, servers that come and go.
TEST_CASE("after all of it for a while, memory and descriptors are as they were") {
  const char* wanted = std::getenv("WIGEON_SOAK");  // seconds
  auto c = config();
  c.allow_from = {*Prefix::parse("192.0.2.0/24")};
  Running r(c);
  REQUIRE(add_address(kPeer));
  const auto seconds = std::chrono::seconds(wanted ? std::stoul(wanted) : 6);
  const auto host = client(r, SOCK_DGRAM), peer = client(r, SOCK_DGRAM, kPeer);
  std::optional<Dnsmasq> upstream;
  std::minstd_rand random(7);
  std::vector<uint8_t> reply(65536);
  size_t asked = 0, answered = 0, foreign = 0, told = 0, turns = 0;
  long base = 0;
  // Sockets for queries upstream are kept (dns/upstream_time.cc).
  const size_t files = descriptors(r) + 16;
  const auto ask = [&](const std::string& name) {
    const auto q =
        make_query({.name = name, .id = static_cast<uint16_t>(1 + asked++ % 65535)});
    REQUIRE(::send(host.get(), q.data(), q.size(), 0) > 0);
    for (size_t n = 1; n > 0;) {
      n = receive(host.get(), reply, 6000);
      if (n < 12 || reply[0] != q[0] || reply[1] != q[1]) continue;
      ++answered;
      return std::string(text(Bytes(reply).first(n)));
    }
    return std::string();
  };
  const auto begin = Loop::now();
  for (; Loop::now() - begin < seconds; ++turns) {
    if (turns % 40 == 0) upstream.emplace();
    if (turns % 40 == 30) upstream.reset();
    for (int i = 0; i < 50; ++i) {
      CHECK(ask("alpha.wigeon.test").find("100.64.0.1") != std::string::npos);
      auto garbage = make_query({.name = "none.wigeon.test", .id = 0});
      garbage[random() % garbage.size()] = static_cast<uint8_t>(random());
      garbage[0] = garbage[1] = 0;
      (void)::send(host.get(), garbage.data(), garbage.size(), MSG_DONTWAIT);
      for (int k = 0; k < 20; ++k)
        (void)::send(peer.get(), garbage.data(), garbage.size(), MSG_DONTWAIT);
    }
    foreign +=
        ask("n" + std::to_string(random() % 5000) + ".up.test").find("203.0.113.1") !=
        std::string::npos;
    const auto stream = client(r, SOCK_STREAM);
    const auto q = make_query({.name = "alpha.wigeon.test"});
    std::vector<uint8_t> framed{0, static_cast<uint8_t>(q.size())};
    framed.insert(framed.end(), q.begin(), q.end());
    (void)::send(stream.get(), framed.data(), turns % 3 ? framed.size() : 5,
                 MSG_NOSIGNAL);
    if (turns % 3) CHECK(receive(stream.get(), reply, 5000) > 12);
    if (turns % 10 == 0) {
      auto next = c;
      for (size_t i = 0; i < 2000 + random() % 2000; ++i)
        next.zones[0].records.push_back(
            {"p" + std::to_string(i) + ".wigeon.test", 1, 60,
             Address::v4(0x64400000 + random() % 65536).text()});
      REQUIRE(r.resolver->configure(*encode_config(next)));
      REQUIRE(r.resolver->flush(""));
      REQUIRE(r.resolver->ask_statistics());
      ++told;
    }
    r.until([&] { return r.applied.size() == told + 1; });
    if (base == 0 && Loop::now() - begin > seconds / 3) base = resident_kilobytes(r);
  }
  // Connections that were left half-open end by themselves.
  for (int i = 0; i < 2000 && descriptors(r) > files; ++i) ::usleep(10'000);
  CHECK(answered == asked);
  CHECK(foreign > 0);
  CHECK(descriptors(r) <= files);
  if (is_released(r)) CHECK(resident_kilobytes(r) - base <= 1024);
  CHECK(r.refused.empty());
  CHECK(r.exits.empty());
  if (wanted)
    WARN(turns << " turns, " << asked << " questions, " << foreign
               << " foreign ones answered, " << told << " configurations; memory " << base
               << " -> " << resident_kilobytes(r) << " kB, descriptors at most " << files
               << " -> " << descriptors(r));
}

TEST_CASE("a thousand slow TCP clients do not keep a new one from its answer") {
  Running r;
  const size_t before = descriptors(r);
  const auto query = make_query({.name = "alpha.wigeon.test"});
  std::vector<UniqueFd> slow;
  for (int i = 0; i < 1000; ++i) {
    // 127.1.x.y: many clients; half of them have begun a message.
    const auto from =
        "127.1." + std::to_string(i / 200) + "." + std::to_string(1 + i % 200);
    slow.push_back(client(r, SOCK_STREAM, from.c_str()));
    const uint8_t part[] = {0, 40, 1};
    if (i % 2) (void)::send(slow.back().get(), part, sizeof part, MSG_NOSIGNAL);
  }
  // The next one is accepted before the oldest is closed.
  r.until([&] { return descriptors(r) <= before + 128; });
  const auto start = Loop::now();
  const auto fd = client(r, SOCK_STREAM);
  std::vector<uint8_t> framed{0, static_cast<uint8_t>(query.size())};
  framed.insert(framed.end(), query.begin(), query.end());
  REQUIRE(::send(fd.get(), framed.data(), framed.size(), MSG_NOSIGNAL) > 0);
  std::vector<uint8_t> reply(65536);
  const size_t n = receive(fd.get(), reply, 5000);
  REQUIRE(n > 14);
  CHECK(text(Bytes(reply).subspan(2, n - 2)).find("100.64.0.1") != std::string::npos);
  CHECK(Loop::now() - start <= 1s);
  CHECK(r.dig("+short +tcp alpha.wigeon.test") == "100.64.0.1\n");
  // All of them are closed 3 s after they came, the one that asked 10 s after it did.
  for (int i = 0; i < 2500 && descriptors(r) > before; ++i) ::usleep(10'000);
  CHECK(descriptors(r) == before);
}

TEST_CASE("a peer that floods gets its 200 a second, the host all it asks") {
  auto c = config();
  c.allow_from = {*Prefix::parse("192.0.2.0/24")};
  Running r(c);
  REQUIRE(add_address(kPeer));
  const auto peer = client(r, SOCK_DGRAM, kPeer);
  const auto host = client(r, SOCK_DGRAM);
  const auto query = make_query({.name = "alpha.wigeon.test"});
  std::vector<uint8_t> reply(65536);
  size_t asked = 0, answered = 0, flooded = 0, peer_got = 0;
  const auto start = Loop::now();
  for (int i = 0; i < 200; ++i) {
    for (int k = 0; k < 100; ++k)
      flooded += ::send(peer.get(), query.data(), query.size(), MSG_DONTWAIT) > 0;
    ++asked;
    REQUIRE(::send(host.get(), query.data(), query.size(), 0) > 0);
    answered += receive(host.get(), reply, 5000) > 12;
    while (receive(peer.get(), reply, 0) > 0) ++peer_got;
  }
  while (receive(peer.get(), reply, 100) > 0) ++peer_got;
  const std::chrono::duration<double> took = Loop::now() - start;
  CHECK(answered == asked);
  CHECK(peer_got >= 200);
  CHECK(static_cast<double>(peer_got) <= 201 + 200 * took.count());
  REQUIRE(r.resolver->ask_statistics());
  r.until([&] { return !r.statistics.empty(); });
  CHECK(r.statistics[0].listeners.at(0).refused == flooded - peer_got);
}

TEST_CASE("queries that come in by an interface that is not named get no reply") {
  enter_own_network();
  REQUIRE(run("ip link add d0 type veth peer name d1 && ip address add 198.51.100.1/24 "
              "dev d0 && ip link set d0 up && echo made") == "made\n");
  const auto index = ::if_nametoindex("d0");
  const auto there = *Address::parse("198.51.100.1");
  for (const bool named : {true, false}) {
    auto c = config();
    c.own_addresses.push_back(there);
    c.interfaces = {named ? index : index + 1};
    Running r(c, {there, *Address::parse("127.0.0.1"), *Address::parse("::1")});
    for (const char* transport : {"+notcp", "+tcp"}) {
      INFO(transport);
      const auto ask = [&](const char* server) {
        return run("dig @" + std::string(server) + " -p " + std::to_string(r.port) +
                   " +tries=1 +time=1 +short alpha.wigeon.test 2>&1");
      };
      CHECK((ask("198.51.100.1") == "100.64.0.1\n") == named);
      CHECK(ask("127.0.0.1") == "100.64.0.1\n");
      CHECK(ask("::1") == "100.64.0.1\n");
    }
  }
  run("ip link del d0");
}

// RFC 8906 §8: what a server must make of flags, types, opcodes and EDNS it may not know.
TEST_CASE("the tests of RFC 8906 are passed") {
  Running r;
  struct Case {
    const char* what;
    const char* options;
    std::vector<std::string> holds, lacks;
  };
  const std::string good = "status: NOERROR", address = "100.64.0.1";
  for (const Case& c : std::initializer_list<Case>{
           {"plain", "+noedns A", {good, address}, {"EDNS"}},
           {"unknown type", "+noedns TYPE1000", {good, "ANSWER: 0"}, {}},
           {"CD", "+noedns +cdflag A", {good, address}, {}},
           {"AD", "+noedns +adflag A", {good, address}, {"ad;"}},
           {"last reserved flag", "+noedns +zflag A", {good, address}, {"MBZ"}},
           {"recursion desired", "+noedns +rec A", {good, "flags: qr aa rd"}, {}},
           {"unknown opcode",
            "+noedns +noad +opcode=15 +norec +header-only A",
            {"status: NOTIMP", "opcode: RESERVED15"},
            {" aa", address}},
           {"TCP", "+noedns +tcp A", {good, address}, {}},
           {"EDNS", "+edns=0 A", {good, address, "EDNS: version: 0"}, {}},
           {"EDNS version 1",
            "+edns=1 +noednsneg A",
            {"status: BADVERS", "EDNS: version: 0"},
            {address}},
           {"unknown option",
            "+edns=0 +ednsopt=100 A",
            {good, address, "EDNS: version: 0"},
            {"OPT=100"}},
           {"unknown flag",
            "+edns=0 +ednsflags=0x40 A",
            {good, address, "EDNS: version: 0"},
            {"MBZ"}},
           {"version 1, unknown flag",
            "+edns=1 +noednsneg +ednsflags=0x40 A",
            {"status: BADVERS", "EDNS: version: 0"},
            {"MBZ", address}},
           {"version 1, unknown option",
            "+edns=1 +noednsneg +ednsopt=100 A",
            {"status: BADVERS", "EDNS: version: 0"},
            {"OPT=100", address}},
           {"DO", "+edns=0 +dnssec A", {good, address, "flags: do"}, {}},
           {"several options",
            "+edns=0 +nsid +cookie=0102030405060708 +subnet=192.0.2.0/24 A",
            {good, address, "EDNS: version: 0"},
            {"NSID", "CLIENT-SUBNET"}}}) {
    const auto out = r.dig(std::string(c.options) + " alpha.wigeon.test");
    INFO(c.what << "\n" << out);
    for (const auto& part : c.holds) CHECK(out.find(part) != std::string::npos);
    for (const auto& part : c.lacks) CHECK(out.find(part) == std::string::npos);
  }
}
