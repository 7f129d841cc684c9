// SPDX-License-Identifier: GPL-2.0-or-later
// Hosts around the resolver, and queries for port 53 brought to it by sk_lookup:
//
//   peer      100.64.0.2, fd00::2   ──wt0──┐
//                                          ├─ this host, 100.64.0.1, fd00::1, ::1 …
//   container 172.31.0.2, fd31::2   ──lan0─┘
//
// All are network namespaces made here; wt0 and lan0 are veth pairs.
#pragma once

#include <net/if.h>
#include <sys/prctl.h>

#include "dns/reply_sockets.hh"
#include "tests/netns/dns_resolver_process.hh"
#include "tests/netns/dns_steering.hh"

namespace wigeon::dns {

inline void must(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

class OtherHost {
 public:
  // Its end of the pair is eth0.
  OtherHost(const std::string& device, const char* ours4, const char* theirs4,
            const char* ours6, const char* theirs6) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const bool good = ::unshare(CLONE_NEWNET) == 0;
      (void)!::write(pipe[1], &good, sizeof good);
      for (;;) ::pause();
    }
    bool good = false;
    REQUIRE(::read(pipe[0], &good, sizeof good) == sizeof good);
    REQUIRE(good);
    for (const int fd : pipe) ::close(fd);
    const std::string pid = std::to_string(pid_);
    must("ip link add " + device + " type veth peer name eth0 netns " + pid);
    must("ip address add " + std::string(ours4) + " dev " + device);
    must("ip -6 address add " + std::string(ours6) + " dev " + device + " nodad");
    must("ip link set " + device + " up");
    must(inside("ip link set lo up"));
    must(inside("ip address add " + std::string(theirs4) + " dev eth0"));
    must(inside("ip -6 address add " + std::string(theirs6) + " dev eth0 nodad"));
    must(inside("ip link set eth0 up"));
    const auto bare = [](std::string_view a) {
      return std::string(a.substr(0, a.find('/')));
    };
    (void)run(inside("ip route add default via " + bare(ours4)));
    (void)run(inside("ip -6 route add default via " + bare(ours6)));
  }
  ~OtherHost() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  OtherHost(const OtherHost&) = delete;
  OtherHost& operator=(const OtherHost&) = delete;

  [[nodiscard]] std::string inside(const std::string& command) const {
    return "nsenter --net=/proc/" + std::to_string(pid_) + "/ns/net " + command;
  }
  [[nodiscard]] std::string dig(const std::string& what) const {
    return run(inside("dig +tries=1 +time=1 " + what + " 2>&1"));
  }

 private:
  pid_t pid_ = -1;
};

struct Hosts {
  const Address own4 = *Address::parse("100.64.0.1"), own6 = *Address::parse("fd00::1");
  OtherHost peer{"wt0", "100.64.0.1/10", "100.64.0.2/10", "fd00::1/64", "fd00::2/64"};
  OtherHost container{"lan0", "172.31.0.1/24", "172.31.0.2/24", "fd31::1/64",
                      "fd31::2/64"};
  [[nodiscard]] std::vector<Address> own() const { return {own4, own6}; }
  // The same for all test cases, as the network namespace is.
  static Hosts& get() {
    (void)Running::opened(Running::addresses());
    static Hosts hosts;
    return hosts;
  }
};

// As the daemon configures it: own addresses, and queries by wt0 only.
inline ResolverConfig steered_config(const Hosts& hosts) {
  auto c = config();
  c.own_addresses = hosts.own();
  c.interfaces = {::if_nametoindex("wt0")};
  return c;
}

inline ListenerSockets steer_here(const Hosts& hosts, Steering& steering) {
  auto sockets = *open_listeners(loopback_for(hosts.own()), 0);
  steering.to(sockets);
  return sockets;
}

struct SteeredResolver {
  Hosts& hosts = Hosts::get();
  Steering steering{hosts.own4, hosts.own6};
  Running r;
  explicit SteeredResolver(const ResolverConfig& c = steered_config(Hosts::get()))
      : r(c, {.open = steer_here(hosts, steering),
              .replies = *open_reply_sockets(hosts.own())}) {}
  Statistics statistics() {
    const size_t n = r.statistics.size();
    REQUIRE(r.resolver->ask_statistics());
    r.until([&] { return r.statistics.size() > n; });
    return r.statistics.back();
  }
  // Queries that the listeners let in, and that they refused.
  std::pair<uint64_t, uint64_t> counts() {
    std::pair<uint64_t, uint64_t> sum{};
    for (const auto& l : statistics().listeners) {
      sum.first += l.queries;
      sum.second += l.refused;
    }
    return sum;
  }
};

}  // namespace wigeon::dns
