// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/wigeond_program.hh"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "agent/base/file.hh"
#include "agent/base/owned.hh"

namespace wigeon::cli {
namespace {

constexpr size_t kMaxSaid = 64 << 20;  // a journal at its limit

struct Pipe {
  UniqueFd read{}, write{};
  static Result<Pipe> open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("pipe");
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  }
};

Result<pid_t> spawn(const std::string& program, std::vector<std::string>& arguments,
                    int out, int err) {
  std::vector<char*> argv;
  std::string name = "wigeond";
  argv.push_back(name.data());
  for (auto& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  char* const environment[] = {nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out, 1);
  posix_spawn_file_actions_adddup2(&files, err, 2);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  pid_t pid = -1;
  const int e =
      ::posix_spawn(&pid, program.c_str(), &files, nullptr, argv.data(), environment);
  posix_spawn_file_actions_destroy(&files);
  if (e != 0) return fail_errno(program, e);
  return pid;
}

// False when there is nothing more to come.
bool take(int fd, std::string& to) {
  std::array<char, 1 << 16> buffer;
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n < 0) return errno == EINTR;
  if (to.size() < kMaxSaid) to.append(buffer.data(), static_cast<size_t>(n));
  return n > 0;
}

// Both at once: a full pipe that nobody reads would stop the program.
void take_both(int out, std::string& said, int err, std::string& note) {
  std::array<pollfd, 2> fds{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (fds[0].revents != 0 && !take(out, said)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !take(err, note)) fds[1].fd = -1;
  }
}

std::string without_name(std::string text) {
  constexpr std::string_view kName = "wigeond: ";
  if (text.starts_with(kName)) text.erase(0, kName.size());
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Failure failure(int status, const std::string& note) {
  if (WIFSIGNALED(status))
    return {Code::error,
            std::string("wigeond ended by a signal: ") + ::strsignal(WTERMSIG(status))};
  const int exit = WEXITSTATUS(status);
  const std::string what =
      note.empty() ? "wigeond ended with " + std::to_string(exit) : note;
  for (const Code code :
       {Code::usage, Code::not_permitted, Code::invalid_config, Code::not_found})
    if (exit_code(code) == exit) return {code, what};
  return {Code::error, what};
}

}  // namespace

std::string wigeond_program() { return program_near("../sbin", "wigeond"); }

Outcome<Said> run_wigeond(std::vector<std::string> arguments) {
  auto out = Pipe::open(), err = Pipe::open();
  const auto pid =
      !out   ? Result<pid_t>(std::unexpected(out.error()))
      : !err ? Result<pid_t>(std::unexpected(err.error()))
             : spawn(wigeond_program(), arguments, out->write.get(), err->write.get());
  if (!pid) return std::unexpected(Failure{Code::error, pid.error().what});
  out->write.reset();
  err->write.reset();
  Said said;
  take_both(out->read.get(), said.out, err->read.get(), said.note);
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0)
    if (errno != EINTR)
      return std::unexpected(Failure{Code::error, fail_errno("waitpid").error().what});
  said.note = without_name(std::move(said.note));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return std::unexpected(failure(status, said.note));
  return said;
}

}  // namespace wigeon::cli
