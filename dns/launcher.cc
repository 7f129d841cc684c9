// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/launcher.hh"

#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "dns/sealed.hh"
#include "dns/spawn.hh"

namespace wigeon::dns {
namespace {

// Messages taken in one wake-up: a resolver gone mad must not hold up the daemon.
constexpr int kReceiveBatch = 8;

constexpr int kEndWait = 1000;  // milliseconds

std::string ending(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return "exit code " + std::to_string(info.si_status);
  const char* name = ::sigdescr_np(info.si_status);
  return "signal " + std::to_string(info.si_status) + " (" + (name ? name : "unknown") +
         ")";
}

}  // namespace

Identity resolver_identity() {
  Identity identity;
  if (const passwd* user = ::getpwnam("wigeon-resolver"))
    identity = {user->pw_uid, user->pw_gid};
  return identity;
}

Result<std::unique_ptr<Resolver>> Resolver::start(Loop& loop, const std::string& program,
                                                  Identity identity,
                                                  ListenerChange listeners, Bytes config,
                                                  Events events) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
    return fail_errno("socketpair");
  std::unique_ptr<Resolver> r(new Resolver(std::move(events)));
  r->socket_.reset(pair[0]);
  r->pid_ = TRY(spawn_confined(program, identity.uid, identity.gid, UniqueFd(pair[1])));
  auto* self = r.get();
  r->child_ =
      TRY(loop.child(r->pid_, [self](const siginfo_t& info) { self->exited(info); }));
  r->readable_ =
      TRY(loop.watch(r->socket_.get(), EPOLLIN, [self](uint32_t) { self->ready(); }));
  // A program that has ended already is told about like one that ends later.
  const auto unless_gone = [](auto sent) -> Result<void> {
    const int code = sent ? 0 : sent.error().code;
    if (code == 0 || code == EPIPE || code == ECONNRESET) return {};
    return std::unexpected(std::move(sent).error());
  };
  TRY(unless_gone(r->listen(std::move(listeners))));
  TRY(unless_gone(r->configure(config)));
  return r;
}

// It ends when its socket closes: we may lack CAP_KILL for another uid. One that does not
// (it reads hostile bytes) is left to init after kEndWait; its sockets are then not gone.
Resolver::~Resolver() {
  shared_->alive = false;
  if (pid_ < 0) return;
  child_.reset();
  readable_.reset();
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  socket_.reset();
  ::kill(pid_, SIGKILL);
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  while (pidfd && ::poll(&ended, 1, kEndWait) < 0 && errno == EINTR) {
  }
  ::waitpid(pid_, nullptr, WNOHANG);
}

Result<uint32_t> Resolver::configure(Bytes config) {
  const auto fd = TRY(seal(config));
  const int fds[] = {fd.get()};
  TRY(send_packet(socket_.get(), encode(ToResolver{Configure{generation_ + 1}}), fds));
  return ++generation_;
}

Result<void> Resolver::listen(ListenerChange change) {
  const auto [message, fds] = listen_packet(change);
  return send_packet(socket_.get(), encode(ToResolver{message}), fds);
}

Result<void> Resolver::ask_statistics() {
  return send_packet(socket_.get(), encode(ToResolver{AskStatistics{}}), {});
}

Result<uint32_t> Resolver::flush(std::string name) {
  const Flush message{++last_id_, std::move(name)};
  TRY(send_packet(socket_.get(), encode(ToResolver{message}), {}));
  return message.id;
}

Result<uint32_t> Resolver::query(std::string name, uint16_t type, Transport transport) {
  const Query message{++last_id_, std::move(name), type, transport};
  TRY(send_packet(socket_.get(), encode(ToResolver{message}), {}));
  return message.id;
}

void Resolver::ready() {
  const auto shared = shared_;
  for (int i = 0; i < kReceiveBatch && shared->alive; ++i) {
    auto packet = receive_packet(socket_.get());
    if (!packet) {
      if (packet.error().code == EAGAIN) return;
      continue;  // too large for any message of ours
    }
    if (!*packet) {
      // It closed its end; SIGCHLD tells the rest.
      readable_.reset();
      return;
    }
    // What makes no sense is dropped: whoever waits for it has a deadline.
    if (auto message = open_message(**packet)) receive(*message);
  }
}

void Resolver::receive(const ToDaemon& message) {
  const auto call = [](auto& callback, const auto& argument) {
    if (callback) callback(argument);
  };
  const auto shared = shared_;
  struct Visitor {
    Events& e;
    decltype(call)& call_;
    void operator()(const Hello& m) { call_(e.hello, m); }
    void operator()(const Listening& m) { call_(e.listening, m); }
    void operator()(const Applied& m) { call_(e.applied, m); }
    void operator()(const Refused& m) { call_(e.refused, m); }
    void operator()(const TellStatistics& m) { call_(e.statistics, m.statistics); }
    void operator()(const Flushed& m) { call_(e.flushed, m); }
    void operator()(const Traced& m) { call_(e.traced, m); }
  };
  std::visit(Visitor{shared->events, call}, message);
}

void Resolver::exited(const siginfo_t& info) {
  const auto shared = shared_;
  pid_ = -1;
  // What it said last comes before its end.
  if (readable_) ready();
  if (!shared->alive) return;
  readable_.reset();
  if (shared->events.exited) shared->events.exited(ending(info));
}

}  // namespace wigeon::dns
