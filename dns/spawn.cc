// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/spawn.hh"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

namespace wigeon::dns {
namespace {

constexpr int kSocket = 3;
constexpr int kProgram = 4;
constexpr int kReport = 5;
// A socket for each query to an upstream server in flight, and some for clients.
constexpr rlim_t kMaxFds = 4500;

// What the child tells us when it cannot go on. Both ends are the same program.
struct Report {
  int code = 0;
  char step[28] = {};
};

[[noreturn]] void give_up(const char* step) {
  Report report;
  report.code = errno;
  std::strncpy(report.step, step, sizeof report.step - 1);
  (void)!::write(kReport, &report, sizeof report);  // the exit code remains
  ::_exit(127);
}

// The three descriptors to their places. They are moved out of the way first: one may sit
// where another belongs.
void arrange(int socket, int program, int report) {
  constexpr int kClear = 16;
  const int high_socket = ::fcntl(socket, F_DUPFD, kClear);
  const int high_program = ::fcntl(program, F_DUPFD, kClear);
  const int high_report = ::fcntl(report, F_DUPFD, kClear);
  if (::dup3(high_report, kReport, O_CLOEXEC) < 0) ::_exit(127);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0) give_up("opening /dev/null");
  if (::dup2(high_socket, kSocket) < 0) give_up("dup2");
  if (::dup3(high_program, kProgram, O_CLOEXEC) < 0) give_up("dup3");
  if (::syscall(SYS_close_range, kReport + 1, ~0u, 0) == 0) return;
  // Before Linux 5.9.
  for (int fd = kReport + 1; fd < 65536; ++fd) ::close(fd);
}

void drop_privileges(uid_t uid, gid_t gid) {
  // EPERM here means that we never could; there is nothing to lose then.
  const auto must = [](long r, const char* step) {
    if (r != 0 && errno != EPERM) give_up(step);
  };
  for (int cap = 0; ::prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; ++cap)
    must(::prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), "PR_CAPBSET_DROP");
  must(::setgroups(0, nullptr), "setgroups");
  must(::setresgid(gid, gid, gid), "setresgid");
  must(::setresuid(uid, uid, uid), "setresuid");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up("PR_SET_NO_NEW_PRIVS");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) give_up("capset");
  // A uid 0 that could not be left gains nothing from exec either: with no_new_privs the
  // kernel cuts the new permitted set down to the old one, which is empty.
}

[[noreturn]] void run_child(int socket, int program, int report, uid_t uid, gid_t gid) {
  arrange(socket, program, report);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int s = 1; s < NSIG; ++s) ::signal(s, SIG_DFL);
  // The terminal's interrupt is for the daemon; we end with our socket.
  ::signal(SIGINT, SIG_IGN);
  const rlimit no_core{0, 0};
  const rlimit files{kMaxFds, kMaxFds};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) give_up("RLIMIT_CORE");
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0 && errno != EPERM) give_up("RLIMIT_NOFILE");
  if (::chdir("/") != 0) give_up("chdir");
  drop_privileges(uid, gid);
  const std::array<const char*, 2> argv{"wigeon-resolver", nullptr};
  const std::array<const char*, 1> environment{nullptr};
  ::syscall(SYS_execveat, kProgram, "", argv.data(), environment.data(), AT_EMPTY_PATH);
  give_up("exec");
}

}  // namespace

Result<pid_t> spawn_confined(const std::string& path, uid_t uid, gid_t gid,
                             UniqueFd socket) {
  const UniqueFd program(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!program) return fail_errno(path);
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return fail_errno("pipe2");
  const UniqueFd report_in(pipe[0]);
  UniqueFd report_out(pipe[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) run_child(socket.get(), program.get(), report_out.get(), uid, gid);
  report_out.reset();
  socket.reset();
  Report report;
  ssize_t n;
  do {
    // Ends as soon as exec closes the other side.
    n = ::read(report_in.get(), &report, sizeof report);
  } while (n < 0 && errno == EINTR);
  if (n == 0) return pid;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (n != sizeof report)
    return fail(ECHILD, path + ": the child ended before it started");
  return fail_errno(path + ": " + report.step, report.code);
}

}  // namespace wigeon::dns
