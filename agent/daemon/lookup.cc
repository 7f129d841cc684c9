// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/lookup.hh"

#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <sstream>

#include "agent/model/limits.hh"

namespace wigeon {
namespace {

using namespace std::chrono_literals;

constexpr auto kDeadline = 10s;
constexpr size_t kMaxAnswer = 8 << 20;  // 50,000 names with all their addresses
constexpr uid_t kNobody = 65534;
constexpr size_t kWorkers = 8;

// " address" for each one of the name, in the resolver's order; empty when unknown.
std::string addresses_of(const HostPort& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (::getaddrinfo(name.host.c_str(), std::to_string(name.port).c_str(), &hints,
                    &list) != 0)
    return {};
  std::string text;
  size_t count = 0;
  for (const addrinfo* a = list; a && count < kMaxAddressesPerName; a = a->ai_next)
    if (const auto e = from_sockaddr(a->ai_addr, a->ai_addrlen)) {
      text += ' ' + e->address.text();
      ++count;
    }
  ::freeaddrinfo(list);
  return text;
}

// The daemon's lock and its clients' connections must end with it, not with us.
int close_all_but(int kept) {
  constexpr int kFirst = STDERR_FILENO + 1;
  if (kept != kFirst && ::dup2(kept, kFirst) < 0) ::_exit(1);
  if (::syscall(SYS_close_range, kFirst + 1, ~0u, 0) == 0) return kFirst;
  // Before Linux 5.9.
  for (int fd = kFirst + 1; fd < 65536; ++fd) ::close(fd);
  return kFirst;
}

[[noreturn]] void child(int pipe, std::vector<HostPort> names) {
  const int out = close_all_but(pipe);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::geteuid() == 0 &&
      (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0))
    ::_exit(1);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // A name whose servers are silent may take all the time there is. Several workers, and
  // another order each time, leave some to the others.
  std::ranges::shuffle(
      names, std::minstd_rand(static_cast<unsigned>(Loop::now().count() & 0xffffffff)));
  const size_t workers = std::min(kWorkers, names.size());
  size_t mine = 0;
  for (size_t w = 1; w < workers && mine == 0; ++w)
    if (::fork() == 0) mine = w;
  ::alarm(std::chrono::seconds(kDeadline).count());
  for (size_t i = mine; i < names.size(); i += workers) {
    const HostPort& n = names[i];
    const auto addresses = addresses_of(n);
    if (addresses.empty()) continue;
    // Shorter than PIPE_BUF, so the workers' lines do not mix.
    const std::string line = n.host + " " + std::to_string(n.port) + addresses + "\n";
    if (::write(out, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

Resolved read_lookup(std::string_view lines) {
  Resolved found;
  for (size_t end; (end = lines.find('\n')) != lines.npos; lines.remove_prefix(end + 1)) {
    std::istringstream words{std::string(lines.substr(0, end))};
    std::string host, port, address;
    if (!(words >> host >> port)) continue;
    const auto number = parse_number(port, 65535);
    if (!number || *number == 0) continue;
    const auto p = static_cast<uint16_t>(*number);
    std::vector<Endpoint> all;
    while (all.size() < kMaxAddressesPerName && words >> address)
      if (const auto parsed = Address::parse(address)) all.push_back({*parsed, p});
    if (!all.empty()) found[HostPort{host, p}] = std::move(all);
  }
  return found;
}

Result<std::unique_ptr<Lookup>> Lookup::start(Loop& loop,
                                              const std::vector<HostPort>& names,
                                              Done done) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return fail_errno("pipe2");
  std::unique_ptr<Lookup> l(new Lookup);
  l->pipe_.reset(fds[0]);
  UniqueFd out(fds[1]);
  if (::fcntl(l->pipe_.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno("fcntl");
  // Forked twice, so that init reaps it: we may not signal a process of another uid, and
  // alarm(2) ends it.
  const pid_t middle = ::fork();
  if (middle < 0) return fail_errno("fork");
  if (middle == 0) {
    if (::fork() == 0) child(out.get(), names);
    ::_exit(0);
  }
  while (::waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
  }
  l->done_ = std::move(done);
  l->readable_ = TRY(loop.watch(l->pipe_.get(), EPOLLIN,
                                [self = l.get()](uint32_t) { self->on_readable(); }));
  l->deadline_ = TRY(loop.after(kDeadline + 1s, [self = l.get()] { self->finish(); }));
  return l;
}

void Lookup::on_readable() {
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(pipe_.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return finish();
    received_.append(buffer, static_cast<size_t>(n));
    if (received_.size() > kMaxAnswer) return finish();
  }
}

void Lookup::finish() {
  readable_.reset();
  deadline_.reset();
  auto done = std::move(done_);
  // The callback may destroy this object.
  done(read_lookup(received_));
}

}  // namespace wigeon
