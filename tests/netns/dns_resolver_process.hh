// SPDX-License-Identifier: GPL-2.0-or-later
// The real resolver process, started by the real launcher in a network namespace of its
// own:
//
//   dig ──▶ 127.0.0.1, ::1 port P   wigeon-resolver ──▶ 127.0.0.1:5399   dnsmasq
//
// WIGEON_RESOLVER=PATH runs another build of it, such as one with its system call list.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <sstream>

#include "dns/launcher.hh"
#include "tests/unit/dns/own_network.hh"

namespace wigeon::dns {

using namespace std::chrono_literals;

inline const char* resolver_program() {
  const char* other = std::getenv("WIGEON_RESOLVER");
  return other ? other : WIGEON_RESOLVER_PATH;
}

inline void need(const char* program) {
  if (::access(program, X_OK) == 0) return;
  std::printf("SKIP: needs %s\n", program);
  std::exit(77);
}

// Its output; empty when there is none.
inline std::string run(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  for (char part[4096]; std::fgets(part, sizeof part, pipe);) out += part;
  ::pclose(pipe);
  return out;
}

struct Dnsmasq {
  pid_t pid = -1;
  Dnsmasq() {
    const auto text = [](const char* name, int parts) {
      std::string t = std::string("--txt-record=") + name;
      for (int i = 0; i < parts; ++i) t += ',' + std::string(70, 'x');
      return t;
    };
    const auto long_text = text("long.up.test", 22), middle = text("middle.up.test", 10);
    pid = ::fork();
    if (pid == 0) {
      ::execl("/usr/sbin/dnsmasq", "dnsmasq", "--keep-in-foreground",
              "--conf-file=/dev/null", "--port=5399", "--listen-address=127.0.0.1",
              "--bind-interfaces", "--no-resolv", "--no-hosts", "--user=root",
              "--pid-file=", "--address=/up.test/203.0.113.1",
              "--address=/up.test/2001:db8::1", "--log-facility=/dev/null",
              long_text.c_str(), middle.c_str(), nullptr);
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

inline ResolverConfig config() {
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

  explicit Running(const ResolverConfig& wanted = config(),
                   const std::vector<Address>& listen = addresses())
      : Running(wanted, {.open = opened(listen)}) {}
  Running(const ResolverConfig& wanted, ListenerChange listeners) {
    REQUIRE_FALSE(listeners.open.empty());
    port = listeners.open.front().endpoint.port;
    auto r = Resolver::start(loop, resolver_program(), resolver_identity(),
                             std::move(listeners), *encode_config(wanted),
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
  static ListenerSockets opened(const std::vector<Address>& listen) {
    if (::geteuid() != 0) {
      std::printf("SKIP: needs root\n");
      std::exit(77);
    }
    need("/usr/bin/dig");
    need("/usr/sbin/dnsmasq");
    enter_own_network();
    auto sockets = open_listeners(listen, 0);
    REQUIRE(sockets);
    return std::move(*sockets);
  }
  static std::vector<Address> addresses() {
    return {*Address::parse("127.0.0.1"), *Address::parse("::1")};
  }
  void until(auto condition) {
    const auto end = Loop::now() + 30s;
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

}  // namespace wigeon::dns
