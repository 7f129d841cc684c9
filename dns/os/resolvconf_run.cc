// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/resolvconf_run.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace wigeon::dns::os {
namespace {

constexpr const char* kEnvironment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
                                        nullptr};

Result<UniqueFd> file_with(const std::string& text) {
  UniqueFd fd(::memfd_create("input", MFD_CLOEXEC));
  if (!fd) return fail_errno("memfd_create");
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(fd.get(), 0, SEEK_SET) != 0)
    return fail_errno("memfd");
  return fd;
}

// One line that can be shown.
std::string plain(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace

Result<std::unique_ptr<ProgramRun>> ProgramRun::start(
    Loop& loop, const std::vector<std::string>& argv, const std::string& input,
    std::chrono::milliseconds limit, Done done) {
  std::unique_ptr<ProgramRun> run(new ProgramRun);
  auto* r = run.get();
  r->allowed_ = limit;
  r->done_ = std::move(done);
  r->limit_ = TRY(loop.after(limit, [r] {
    r->late_ = true;
    r->kill();
  }));
  TRY(r->spawn(argv, input));
  r->reading_ = TRY(loop.watch(r->output_.get(), EPOLLIN, [r](uint32_t) { r->read(); }));
  r->child_ = TRY(loop.child(r->pid_, [r](const siginfo_t& info) { r->ended(info); }));
  return run;
}

Result<void> ProgramRun::spawn(const std::vector<std::string>& argv,
                               const std::string& input) {
  const auto in = TRY(file_with(input));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe2");
  output_ = UniqueFd(ends[0]);
  const UniqueFd out(ends[1]);
  if (::fcntl(output_.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno("fcntl");

  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawnattr_t how;
  posix_spawn_file_actions_t files;
  posix_spawnattr_init(&how);
  posix_spawn_file_actions_init(&files);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  posix_spawnattr_setsigmask(&how, &none);
  posix_spawnattr_setsigdefault(&how, &all);
  posix_spawnattr_setpgroup(&how, 0);
  posix_spawnattr_setflags(
      &how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_adddup2(&files, in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, out.get(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  pid_t pid = 0;
  const int code = ::posix_spawn(&pid, argv[0].c_str(), &files, &how, words.data(),
                                 const_cast<char**>(kEnvironment));
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&how);
  if (code != 0) return fail_errno(argv[0], code);
  pid_ = pid;
  return {};
}

void ProgramRun::read() {
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t n = ::read(output_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) reading_.reset();
    if (n <= 0) return;
    const auto room = kMaxSaid - said_.size();
    said_.append(buffer.data(), std::min(static_cast<size_t>(n), room));
  }
}

void ProgramRun::kill() {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

// What it started may live on and hold the pipe: its own end is what counts.
void ProgramRun::ended(const siginfo_t& info) {
  pid_ = 0;
  read();
  std::string failure;
  if (late_)
    failure = fmt::format("took more than {} ms", allowed_.count());
  else if (info.si_code != CLD_EXITED)
    failure = fmt::format("ended by signal {}", info.si_status);
  else if (info.si_status != 0)
    failure = fmt::format("exit status {}", info.si_status);
  if (const auto said = plain(said_); !failure.empty() && !said.empty())
    failure += ": " + said;
  auto done = std::move(done_);
  done(failure);
}

ProgramRun::~ProgramRun() {
  if (pid_ <= 0) return;
  kill();
  child_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace wigeon::dns::os
