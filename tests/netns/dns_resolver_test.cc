// SPDX-License-Identifier: GPL-2.0-or-later
// The real resolver process, started by the real launcher in a network namespace of its
// own:
//
//   dig ──▶ 127.0.0.1, ::1 port P   wigeon-resolver ──▶ 127.0.0.1:5399   dnsmasq
//
// WIGEON_RESOLVER=PATH runs another build of it, such as one with its system call list.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <sstream>

#include "dns/launcher.hh"
#include "tests/unit/dns/own_network.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

namespace {

const char* resolver_program() {
  const char* other = std::getenv("WIGEON_RESOLVER");
  return other ? other : WIGEON_RESOLVER_PATH;
}

void need(const char* program) {
  if (::access(program, X_OK) == 0) return;
  std::printf("SKIP: needs %s\n", program);
  std::exit(77);
}

// Its output; empty when there is none.
std::string run(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  for (char part[4096]; std::fgets(part, sizeof part, pipe);) out += part;
  ::pclose(pipe);
  return out;
}

struct Dnsmasq {
  pid_t pid = -1;
  Dnsmasq() {
    pid = ::fork();
    if (pid == 0) {
      ::execl("/usr/sbin/dnsmasq", "dnsmasq", "--keep-in-foreground",
              "--conf-file=/dev/null", "--port=5399", "--listen-address=127.0.0.1",
              "--bind-interfaces", "--no-resolv", "--no-hosts", "--user=root",
              "--pid-file=", "--address=/up.test/203.0.113.1",
              "--address=/up.test/2001:db8::1", "--log-facility=/dev/null",
              "--txt-record=long.up.test,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789,"
              "0123456789012345678901234567890123456789012345678901234567890123456789",
              nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 500; ++i) {
      if (run("dig @127.0.0.1 -p 5399 +short +tries=1 +time=1 x.up.test 2>&1") ==
          "203.0.113.1\n")
        return;
      ::usleep(10'000);
    }
    FAIL("dnsmasq does not answer");
  }
  ~Dnsmasq() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
};

ResolverConfig config() {
  return {.zones = {{"wigeon.test",
                     {{"alpha.wigeon.test", 1, 300, "100.64.0.1"},
                      {"alpha.wigeon.test", 28, 300, "fd00::1"},
                      {"abroad.wigeon.test", 5, 60, "x.up.test"}}}},
          .upstreams = {*Endpoint::parse("127.0.0.1:5399")},
          .own_addresses = {*Address::parse("100.64.0.1")},
          .overlay = {*Prefix::parse("100.64.0.0/10")}};
}

struct Running {
  Loop loop = *Loop::open();
  std::vector<Hello> hellos{};
  std::vector<Listening> listenings{};
  std::vector<Applied> applied{};
  std::vector<Refused> refused{};
  std::vector<Statistics> statistics{};
  std::vector<std::string> exits{};
  uint16_t port = 0;
  std::unique_ptr<Resolver> resolver{};

  Running() {
    if (::geteuid() != 0) {
      std::printf("SKIP: needs root\n");
      std::exit(77);
    }
    need("/usr/bin/dig");
    need("/usr/sbin/dnsmasq");
    enter_own_network();
    auto sockets = open_listeners(addresses(), 0);
    REQUIRE(sockets);
    port = sockets->front().endpoint.port;
    auto r = Resolver::start(loop, resolver_program(), resolver_identity(),
                             std::move(*sockets), config(),
                             {.hello = [this](auto& m) { hellos.push_back(m); },
                              .listening = [this](auto& m) { listenings.push_back(m); },
                              .applied = [this](auto& m) { applied.push_back(m); },
                              .refused = [this](auto& m) { refused.push_back(m); },
                              .statistics = [this](auto& m) { statistics.push_back(m); },
                              .exited = [this](auto& why) { exits.push_back(why); }});
    REQUIRE(r);
    resolver = std::move(*r);
    until([&] { return !applied.empty() || !exits.empty(); });
    INFO((exits.empty() ? "" : exits[0]));
    REQUIRE(exits.empty());
  }
  static std::vector<Address> addresses() {
    return {*Address::parse("127.0.0.1"), *Address::parse("::1")};
  }
  void until(auto condition) {
    const auto end = Loop::now() + 10s;
    while (!condition()) {
      REQUIRE(Loop::now() < end);
      REQUIRE(loop.run_once(20ms));
    }
  }
  [[nodiscard]] std::string dig(const std::string& what,
                                const char* server = "127.0.0.1") const {
    return run("dig @" + std::string(server) + " -p " + std::to_string(port) +
               " +tries=1 +time=6 " + what + " 2>&1");
  }
  [[nodiscard]] std::string status_line(const std::string& key) const {
    std::ifstream in("/proc/" + std::to_string(resolver->pid()) + "/status");
    for (std::string line; std::getline(in, line);)
      if (line.starts_with(key + ":")) return line.substr(line.find('\t') + 1);
    return "none";
  }
};

}  // namespace

TEST_CASE("dig gets own and foreign names over UDP and TCP, IPv4 and IPv6") {
  Running r;
  const Dnsmasq dnsmasq;
  for (const char* server : {"127.0.0.1", "::1"}) {
    for (const char* transport :
         {"+notcp ", "+tcp ", "+notcp +noedns ", "+tcp +dnssec "}) {
      const auto dig = [&](const std::string& what) {
        return r.dig(transport + std::string("+short ") + what, server);
      };
      CHECK(dig("alpha.wigeon.test") == "100.64.0.1\n");
      CHECK(dig("alpha.wigeon.test AAAA") == "fd00::1\n");
      CHECK(dig("-x 100.64.0.1") == "alpha.wigeon.test.\n");
      CHECK(dig("x.up.test") == "203.0.113.1\n");
      CHECK(dig("x.up.test AAAA") == "2001:db8::1\n");
      CHECK(dig("abroad.wigeon.test") == "x.up.test.\n203.0.113.1\n");
      CHECK(dig("nothing.wigeon.test") == "");
    }
  }
  CHECK(r.dig("nothing.wigeon.test").find("status: NXDOMAIN") != std::string::npos);
  // Too long for a datagram on either side: asked over TCP, and dig comes again over TCP.
  CHECK(r.dig("+short long.up.test TXT").size() > 20 * 70);
  CHECK(r.dig("+noedns +ignore long.up.test TXT").find("flags: qr tc rd ra") !=
        std::string::npos);
  CHECK(r.dig("localhost +short") == "127.0.0.1\n");

  REQUIRE(r.resolver->ask_statistics());
  r.until([&] { return !r.statistics.empty(); });
  const auto& s = r.statistics[0];
  CHECK(s.queries > 56);
  CHECK(s.forwarded >= 24);
  CHECK(s.tcp_accepted >= 28);
  CHECK(s.unanswered == 0);
  REQUIRE(s.listeners.size() == 4);
  for (const auto& l : s.listeners) CHECK(l.queries >= 14);
}

TEST_CASE("without its upstream server the resolver says so and answers its own names") {
  Running r;
  const auto out = r.dig("x.up.test");
  CHECK(out.find("status: SERVFAIL") != std::string::npos);
  CHECK(out.find("EDE: 22 (No Reachable Authority)") != std::string::npos);
  CHECK(r.dig("+short alpha.wigeon.test") == "100.64.0.1\n");
}

TEST_CASE("the resolver has no privilege left") {
  Running r;
  REQUIRE(r.hellos.size() == 1);
  CHECK(
      r.hellos[0].sandbox.starts_with("uid " + std::to_string(resolver_identity().uid)));
  const std::string uid = std::to_string(resolver_identity().uid);
  CHECK(r.status_line("Name") == "wigeon-resolver");
  CHECK(r.status_line("Uid") == uid + "\t" + uid + "\t" + uid + "\t" + uid);
  CHECK(r.status_line("Groups") == " ");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    CHECK(r.status_line(set) == "0000000000000000");
  CHECK(r.status_line("NoNewPrivs") == "1");
  if (r.hellos[0].sandbox.find("system calls") != std::string::npos)
    CHECK(r.status_line("Seccomp") == "2");
  const auto fds = run("ls /proc/" + std::to_string(r.resolver->pid()) + "/fd | wc -l");
  CHECK(std::stoi(fds) < 16);
}

TEST_CASE("a bad configuration is refused and the old one stays") {
  Running r;
  auto bad = config();
  bad.zones[0].records.push_back({"b.wigeon.test", 1, 60, "not an address"});
  const auto generation = r.resolver->configure(bad);
  REQUIRE(generation);
  r.until([&] { return !r.refused.empty(); });
  CHECK(r.refused[0].generation == *generation);
  CHECK(r.refused[0].reason ==
        "zone 'wigeon.test': record 4 (b.wigeon.test A): 'not' is not an IPv4 address");
  CHECK(r.dig("+short alpha.wigeon.test") == "100.64.0.1\n");

  auto better = config();
  better.zones[0].records[0].rdata = "100.64.0.77";
  better.upstreams.push_back({*Address::parse("127.0.0.1"), r.port});
  REQUIRE(r.resolver->configure(better));
  r.until([&] { return r.applied.size() == 2; });
  CHECK(r.applied[1].names == 3);
  CHECK(r.applied[1].dropped_upstreams ==
        std::vector<Endpoint>{{*Address::parse("127.0.0.1"), r.port}});
  CHECK(r.dig("+short alpha.wigeon.test") == "100.64.0.77\n");
}

TEST_CASE("a hundred thousand names are taken while queries are answered") {
  Running r;
  auto big = config();
  for (uint32_t i = 1; i <= 100'000; ++i)
    big.zones[0].records.push_back({"p" + std::to_string(i) + ".wigeon.test", 1, 60,
                                    Address::v4(0x64400000 + i).text()});
  REQUIRE(r.resolver->configure(big));
  r.until([&] { return r.applied.size() == 2; });
  CHECK(r.applied[1].names == 100'003);
  CHECK(r.dig("+short p99999.wigeon.test") ==
        Address::v4(0x64400000 + 99'999).text() + "\n");
}

TEST_CASE("listeners live as long as the resolver, and no longer") {
  Running r;
  const pid_t pid = r.resolver->pid();
  CHECK_FALSE(open_listeners(Running::addresses(), r.port));
  ::kill(pid, SIGKILL);
  r.until([&] { return !r.exits.empty(); });
  CHECK(r.exits[0] == "signal 9 (Killed)");
  CHECK(open_listeners(Running::addresses(), r.port));
}

TEST_CASE("new listeners replace the old ones in a running resolver") {
  Running r;
  auto sockets = *open_listeners(Running::addresses(), 0);
  const uint16_t old = std::exchange(r.port, sockets.front().endpoint.port);
  REQUIRE(r.resolver->listen(std::move(sockets)));
  r.until([&] { return r.listenings.size() == 2; });
  CHECK(r.listenings[1].failure.empty());
  CHECK(r.dig("+short alpha.wigeon.test") == "100.64.0.1\n");
  CHECK(open_listeners(Running::addresses(), old));
}

TEST_CASE("the resolver ends with the socket of its daemon") {
  // A daemon of its own, which is killed: nobody is left to end the resolver.
  enter_own_network();
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    Running r;
    const pid_t resolver = r.resolver->pid();
    (void)!::write(pipe[1], &resolver, sizeof resolver);
    ::pause();
  }
  pid_t resolver = -1;
  REQUIRE(::read(pipe[0], &resolver, sizeof resolver) == sizeof resolver);
  REQUIRE(::kill(resolver, 0) == 0);
  ::kill(daemon, SIGKILL);
  ::waitpid(daemon, nullptr, 0);
  const auto gone = [&] {
    std::ifstream stat("/proc/" + std::to_string(resolver) + "/stat");
    std::string rest;
    std::getline(stat, rest);
    return rest.empty() || rest.find(") Z ") != std::string::npos;
  };
  for (int i = 0; i < 1000 && !gone(); ++i) ::usleep(10'000);
  CHECK(gone());
}
