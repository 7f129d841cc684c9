// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/netns/dns_resolver_process.hh"

using namespace wigeon;
using namespace wigeon::dns;

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
  const auto generation = r.resolver->configure(*encode_config(bad));
  REQUIRE(generation);
  r.until([&] { return !r.refused.empty(); });
  CHECK(r.refused[0].generation == *generation);
  CHECK(r.refused[0].reason ==
        "zone 'wigeon.test': record 4 (b.wigeon.test A): 'not' is not an IPv4 address");
  CHECK(r.dig("+short alpha.wigeon.test") == "100.64.0.1\n");

  auto better = config();
  better.zones[0].records[0].rdata = "100.64.0.77";
  better.upstreams.push_back({*Address::parse("127.0.0.1"), r.port});
  REQUIRE(r.resolver->configure(*encode_config(better)));
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
  REQUIRE(r.resolver->configure(*encode_config(big)));
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
  REQUIRE(r.resolver->listen({.open = std::move(sockets)}));
  r.until([&] { return r.listenings.size() == 2; });
  const auto now = r.listenings[1];
  CHECK(now.failure.empty());
  REQUIRE(now.listeners.size() == 4);
  for (const auto& l : now.listeners) CHECK(l.endpoint.port == r.port);
  CHECK(r.dig("+short alpha.wigeon.test") == "100.64.0.1\n");
  r.until([&] { return open_listeners(Running::addresses(), old).has_value(); });

  const ListenerInfo gone{Transport::udp, {*Address::parse("127.0.0.1"), old}};
  REQUIRE(r.resolver->listen({.keep = {gone}}));
  r.until([&] { return r.listenings.size() == 3; });
  CHECK(r.listenings[2].failure == "nothing to keep at " + gone.endpoint.text());
  CHECK(r.listenings[2].listeners == now.listeners);
  CHECK(r.dig("+short alpha.wigeon.test") == "100.64.0.1\n");
}

TEST_CASE("changes that come before the first configuration are made in their order") {
  auto first = Running::opened(Running::addresses());
  auto second = *open_listeners(Running::addresses(), 0);
  const auto kept = first[0].info();
  auto big = config();  // takes a while to build
  for (uint32_t i = 1; i <= 50'000; ++i)
    big.zones[0].records.push_back(
        {"p" + std::to_string(i) + ".wigeon.test", 1, 60, "100.64.0.7"});
  auto loop = *Loop::open();
  std::vector<Listening> told;
  bool applied = false;
  auto resolver = *Resolver::start(loop, resolver_program(), resolver_identity(),
                                   {.open = std::move(first)}, *encode_config(big),
                                   {.listening = [&](auto& l) { told.push_back(l); },
                                    .applied = [&](auto&) { applied = true; }});
  REQUIRE(resolver->listen({.open = std::move(second), .keep = {kept}}));
  REQUIRE(resolver->listen({.keep = {kept, kept}}));
  for (const auto end = Loop::now() + 30s; !applied && Loop::now() < end;)
    REQUIRE(loop.run_once(20ms));
  REQUIRE(told.size() == 3);
  CHECK(told[0].listeners.size() == 4);
  CHECK(told[1].listeners.size() == 5);
  CHECK(told[2].listeners == std::vector{kept});
  CHECK(run("dig +short @127.0.0.1 p7.wigeon.test -p " +
            std::to_string(kept.endpoint.port)) == "100.64.0.7\n");
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
