// SPDX-License-Identifier: GPL-2.0-or-later
// What a query to an upstream server costs, in CPU time of this process:
//
//   Upstream, or bare sockets (CPU 0) ──▶ an echo in batches (CPU 1)
//
// bench-dns-upstream [QUERIES [IN-FLIGHT [ROUNDS]]]
// `bare` is the upstream half of a relay that does nothing but copy: one connected
// socket, 64 datagrams in a call. A forwarder's other half costs at least what the echo
// costs, so (echo + upstream) ÷ (echo + bare) is the least a forwarder can reach.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <vector>

#include "dns/listeners.hh"
#include "dns/message.hh"
#include "dns/upstream.hh"
#include "tests/unit/dns/own_network.hh"

namespace wigeon::dns {
namespace {

constexpr size_t kBatch = 64;

struct Batch {
  std::array<std::array<uint8_t, 512>, kBatch> bytes;
  std::array<sockaddr_storage, kBatch> from;
  std::array<iovec, kBatch> iov;
  std::array<mmsghdr, kBatch> messages;
  void prepare(size_t i, size_t size, bool named) {
    iov[i] = {bytes[i].data(), size};
    messages[i] = {};
    messages[i].msg_hdr.msg_iov = &iov[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    if (!named) return;
    messages[i].msg_hdr.msg_name = &from[i];
    messages[i].msg_hdr.msg_namelen = sizeof from[i];
  }
};

void run_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set,
                      &set);  // on one CPU the figures are noisier, no more
}

double cpu_us(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

// Each query comes back as its own reply.
[[noreturn]] void echo(int fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  run_on(1);
  static Batch b;
  for (;;) {
    for (size_t i = 0; i < kBatch; ++i) b.prepare(i, b.bytes[i].size(), true);
    const int n = ::recvmmsg(fd, b.messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    for (size_t i = 0; static_cast<int>(i) < n; ++i) {
      b.bytes[i][2] |= 0x80;
      b.iov[i].iov_len = b.messages[i].msg_len;
    }
    for (int done = 0; done < n;) {
      const int sent = ::sendmmsg(fd, &b.messages[static_cast<size_t>(done)],
                                  static_cast<unsigned>(n - done), 0);
      done += sent > 0 ? sent : 1;
    }
  }
}

std::vector<uint8_t> query(size_t number) {
  std::vector<uint8_t> bytes(512);
  Writer w(bytes);
  w.u16(static_cast<uint16_t>(number));
  w.u16(flag::kRd);
  for (const uint16_t n : std::initializer_list<uint16_t>{1, 0, 0, 1}) w.u16(n);
  w.name(Name::parse("host-" + std::to_string(number) + ".bench.example")->wire());
  w.u16(type::kA);
  w.u16(klass::kIn);
  write_opt(w, {});
  bytes.resize(w.size());
  return bytes;
}

struct Bench {
  Endpoint server{};
  size_t queries = 200'000, window = 64;

  [[nodiscard]] Result<size_t> upstream() const {
    Loop loop = TRY(Loop::open());
    auto upstream = TRY(Upstream::open(loop));
    TRY(upstream->set_servers(std::vector{server}));
    size_t sent = 0, ended = 0, replied = 0;
    std::function<void()> send = [&] {
      upstream->send(server, query(sent++), Transport::udp,
                     std::chrono::milliseconds(4000), [&](const Outcome& o) {
                       ++ended;
                       if (o.end == Outcome::End::replied) ++replied;
                       if (sent < queries) send();
                     });
    };
    while (sent < window) send();
    while (ended < queries) TRY(loop.run_once(std::chrono::seconds(1)));
    return replied;
  }

  [[nodiscard]] Result<size_t> bare() const {
    static Batch b;
    const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage to{};
    const socklen_t size = to_sockaddr(server, to);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), size) != 0)
      return fail_errno("connect");
    timeval limit{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    size_t sent = 0, replied = 0, room = std::min(window, kBatch);
    while (replied < queries) {
      const size_t n = std::min(room, queries - sent);
      for (size_t i = 0; i < n; ++i) {
        const auto q = query(sent++);
        std::ranges::copy(q, b.bytes[i].begin());
        b.prepare(i, q.size(), false);
      }
      if (n > 0) ::sendmmsg(fd.get(), b.messages.data(), static_cast<unsigned>(n), 0);
      for (size_t i = 0; i < kBatch; ++i) b.prepare(i, b.bytes[i].size(), false);
      const int got =
          ::recvmmsg(fd.get(), b.messages.data(), kBatch, MSG_WAITFORONE, nullptr);
      if (got <= 0) break;  // some were lost
      replied += room = static_cast<size_t>(got);
    }
    return replied;
  }
};

Result<int> run(int argc, char** argv) {
  enter_own_network();
  const Address local = Address::v4(0x7f000001);
  auto sockets = TRY(open_listeners(std::vector{local}, 0));
  Bench bench{.server = sockets[0].endpoint};
  if (argc > 1) bench.queries = std::stoul(argv[1]);
  if (argc > 2) bench.window = std::stoul(argv[2]);
  const size_t rounds = argc > 3 ? std::stoul(argv[3]) : 5;
  const pid_t child = ::fork();
  if (child == 0) echo(sockets[0].fd.get());
  sockets.clear();
  run_on(0);
  clockid_t echo_clock{};
  ::clock_getcpuclockid(child, &echo_clock);

  double make = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
  for (size_t i = 0; i < bench.queries; ++i) (void)query(i);
  make = (cpu_us(CLOCK_PROCESS_CPUTIME_ID) - make) / static_cast<double>(bench.queries);
  std::printf("%zu queries, %zu in flight; CPU us per query, making it (%.2f) left out\n",
              bench.queries, bench.window, make);
  std::printf("echo   bare   upstream  (echo+upstream)/(echo+bare)  replies\n");
  std::vector<double> ratios;
  for (size_t round = 0; round < rounds; ++round) {
    const auto measure = [&](auto what, double& echo_us) -> Result<double> {
      const double before = cpu_us(CLOCK_PROCESS_CPUTIME_ID), e = cpu_us(echo_clock);
      const auto replied = static_cast<double>(TRY(what()));
      echo_us = (cpu_us(echo_clock) - e) / static_cast<double>(bench.queries);
      if (replied == 0) return fail(EIO, "no reply");
      return (cpu_us(CLOCK_PROCESS_CPUTIME_ID) - before) / replied - make;
    };
    double echo_us = 0, ignored = 0;
    const double bare = TRY(measure([&] { return bench.bare(); }, echo_us));
    size_t replies = 0;
    const auto ask = [&]() -> Result<size_t> {
      replies = TRY(bench.upstream());
      return replies;
    };
    const double upstream = TRY(measure(ask, ignored));
    ratios.push_back((echo_us + upstream) / (echo_us + bare));
    std::printf("%5.2f  %5.2f  %8.2f  %27.2f  %zu\n", echo_us, bare, upstream,
                ratios.back(), replies);
  }
  std::ranges::sort(ratios);
  std::printf("median ratio %.2f\n", ratios[ratios.size() / 2]);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return 0;
}

}  // namespace
}  // namespace wigeon::dns

int main(int argc, char** argv) {
  const auto code = wigeon::dns::run(argc, argv);
  if (code) return *code;
  std::fprintf(stderr, "bench-dns-upstream: %s\n", code.error().what.c_str());
  return 1;
}
