// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/process.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

extern char** environ;

namespace wigeon::bench {
namespace {

Result<pid_t> spawn(const Arguments& program, const char* log) {
  std::vector<char*> argv;
  for (const auto& a : program) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  if (log)
    ::posix_spawn_file_actions_addopen(&files, 2, log, O_WRONLY | O_CREAT | O_TRUNC,
                                       0644);
  pid_t pid = 0;
  const int status = ::posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (status != 0) return fail_errno(program[0], status);
  return pid;
}

}  // namespace

Result<void> run(const Arguments& program) {
  const pid_t pid = TRY(spawn(program, nullptr));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return fail_errno(program[0]);
  if (status == 0) return {};
  return fail(EIO, fmt::format("{} {} …: wait status {:#x}", program[0],
                               program.size() > 1 ? program[1] : "", status));
}

Result<pid_t> start(const Arguments& program, const std::string& log) {
  return spawn(program, log.c_str());
}

void stop(pid_t pid) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  (void)::sched_setaffinity(0, sizeof set, &set);  // one CPU: all of it is there
}

Result<double> cpu_seconds(pid_t pid) {
  uint64_t total = 0;
  std::error_code none;
  const auto tasks = fmt::format("/proc/{}/task", pid);
  for (const auto& task : std::filesystem::directory_iterator(tasks, none)) {
    uint64_t nanoseconds = 0;
    std::ifstream(task.path() / "schedstat") >> nanoseconds;
    total += nanoseconds;
  }
  if (total == 0) return fail(ESRCH, tasks + ": no CPU time there");
  return static_cast<double>(total) * 1e-9;
}

Result<uint64_t> anonymous_bytes(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/smaps_rollup", pid));
  std::string word;
  while (in >> word)
    if (uint64_t kilobytes = 0; word == "Pss_Anon:" && in >> kilobytes)
      return kilobytes << 10;
  return fail(ENOENT, "no Pss_Anon in smaps_rollup");
}

Result<TempDir> TempDir::make() {
  const char* where = std::getenv("TMPDIR");
  std::string path = std::string(where ? where : "/tmp") + "/wigeon-bench.XXXXXX";
  if (!::mkdtemp(path.data())) return fail_errno(path);
  return TempDir(std::move(path));
}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<void> write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.close();
  return out ? Result<void>{} : fail(EIO, path + ": not written");
}

}  // namespace wigeon::bench
