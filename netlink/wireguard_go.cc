// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/wireguard_go.hh"

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "agent/base/owned.hh"
#include "netlink/link.hh"
#include "netlink/socket.hh"
#include "netlink/uapi_client.hh"
#include "netlink/wait.hh"

namespace wigeon::netlink::wireguard_go {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr const char* kPrograms[] = {"/usr/bin/wireguard-go",
                                     "/usr/local/bin/wireguard-go"};
constexpr const char* kTunDevice = "/dev/net/tun";
constexpr size_t kMaxOutput = 8 << 10;  // its banner is 1 kB
constexpr size_t kMaxReason = 200;
constexpr auto kPause = 10ms;

bool link_exists(std::string_view link) {
  return ::if_nametoindex(std::string(link).c_str()) != 0;
}

Result<void> check_tun_device() {
  const UniqueFd fd(::open(kTunDevice, O_RDWR | O_CLOEXEC));
  if (!fd && errno == ENOENT) return fail(ENOENT, "there is no /dev/net/tun");
  if (!fd) return fail_errno(kTunDevice);
  return {};
}

// Of "ERROR: (wt0) 2026/01/31 12:00:00 Failed to …" the sentence; else the last line.
std::string reason_in(std::string_view output) {
  while (output.ends_with('\n')) output.remove_suffix(1);
  if (const size_t line = output.rfind('\n'); line != output.npos)
    output.remove_prefix(line + 1);
  if (output.starts_with("ERROR: ("))
    for (int word = 0; word < 4; ++word)
      if (const size_t blank = output.find(' '); blank != output.npos)
        output.remove_prefix(blank + 1);
  std::string reason(output.substr(0, kMaxReason));
  std::ranges::replace_if(
      reason, [](char c) { return c < ' ' || c > '~'; }, '?');
  return reason.empty() ? "it does not say why" : reason;
}

std::string drain(int fd) {
  std::string output(kMaxOutput, '\0');
  const ssize_t n = ::read(fd, output.data(), output.size());
  output.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return output;
}

// In the background it lives on with /dev/null for input and output; what it says before
// that goes to `output`. Nothing else is handed on: no environment, no descriptor, no
// signal mask. LOG_LEVEL is left unset on purpose: any value but "silent" would keep
// `output` open, and a Go program that writes to a pipe without a reader is killed.
Result<pid_t> spawn(const std::string& program, std::string_view link, int output) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&how);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, 1);
  posix_spawn_file_actions_adddup2(&files, output, 2);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  posix_spawn_file_actions_addchdir_np(&files, "/");
  posix_spawnattr_setsigmask(&how, &none);
  posix_spawnattr_setsigdefault(&how, &all);
  posix_spawnattr_setflags(
      &how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  std::string name = "wireguard-go", argument(link);
  char* const argv[] = {name.data(), argument.data(), nullptr};
  char* const environment[] = {nullptr};
  pid_t pid = -1;
  const int e = ::posix_spawn(&pid, program.c_str(), &files, &how, argv, environment);
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&files);
  if (e != 0) return fail_errno(program, e);
  return pid;
}

// Exit status of the child, as waitpid gives it; it is killed at the deadline.
Result<int> wait_exit(pid_t pid, Clock::time_point deadline) {
  // Not pidfd_open(): glibc 2.36 declares it without extern "C".
  const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  auto ended = fd ? wait_ready(fd.get(), POLLIN, deadline)
                  : Result<void>(fail_errno("pidfd_open"));
  if (!ended) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return fail_errno("waitpid");
  if (!ended) return std::unexpected(std::move(ended).error());
  return status;
}

bool none_there(const Error& e) { return e.code == ENOENT || e.code == ECONNREFUSED; }

}  // namespace

Result<std::string> find_program() {
  for (const char* path : kPrograms)
    if (::access(path, X_OK) == 0) return path;
  return fail(
      ENOENT,
      "wireguard-go is not installed (neither in /usr/bin nor in /usr/local/bin)");
}

std::string socket_path(std::string_view link) {
  return "/var/run/wireguard/" + std::string(link) + ".sock";
}

Result<void> check_running(std::string_view link) {
  TRY(check_link_name(link));
  const auto path = socket_path(link);
  const auto reply = TRY(uapi::ask(path, uapi::kGet));
  if (!link_exists(link))
    return fail(EADDRINUSE, path + ": its process serves another network namespace");
  return {};
}

Result<void> start(std::string_view link) {
  const auto running = check_running(link);
  if (running || !none_there(running.error())) return running;
  const auto program = TRY(find_program());
  TRY(check_tun_device());

  const auto deadline = Clock::now() + kDeadline;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("pipe");
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t pid = TRY(spawn(program, link, write_end.get()));
  write_end.reset();
  const auto status = wait_exit(pid, deadline);
  if (!status) return within("wireguard-go", status.error());
  if (!WIFEXITED(*status) || WEXITSTATUS(*status) != 0)
    return fail(EIO, "wireguard-go: " + reason_in(drain(read_end.get())));
  for (;;) {
    const auto answers = check_running(link);
    if (answers || !none_there(answers.error())) return answers;
    if (Clock::now() >= deadline) return fail(ETIMEDOUT, "wireguard-go does not answer");
    std::this_thread::sleep_for(kPause);
  }
}

Result<void> stop(std::string_view link) {
  TRY(check_link_name(link));
  const auto path = socket_path(link);
  const auto running = check_running(link);
  if (!running && running.error().code == ENOENT) return {};
  // Serving somebody else's namespace, under the same name.
  if (!running && running.error().code == EADDRINUSE) return {};
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno(path);
  if (!running && running.error().code == ECONNREFUSED) return {};  // left by a dead one
  const auto deadline = Clock::now() + kDeadline;
  while (link_exists(link)) {
    if (Clock::now() >= deadline)
      return fail(ETIMEDOUT, "wireguard-go did not end when its socket was removed");
    std::this_thread::sleep_for(kPause);
  }
  return {};
}

}  // namespace wigeon::netlink::wireguard_go
