// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/harness/file_calls.hh"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "agent/base/file.hh"

namespace wigeon {
namespace {

using Info = __ptrace_syscall_info;
using Kind = FileCall::Kind;

std::string memory_of(pid_t pid, uint64_t at, size_t size) {
  std::string bytes(size, '\0');
  // NOLINTNEXTLINE(performance-no-int-to-ptr): of another process
  iovec mine{bytes.data(), size}, theirs{reinterpret_cast<void*>(at), size};
  const ssize_t n = ::process_vm_readv(pid, &mine, 1, &theirs, 1, 0);
  bytes.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return bytes;
}

// Up to its NUL, page by page: what follows may not be mapped.
std::string text_of(pid_t pid, uint64_t at) {
  std::string text;
  while (at != 0 && text.size() < PATH_MAX) {
    const auto part = memory_of(pid, at, 4096 - at % 4096);
    if (part.empty()) break;
    text += part.substr(0, part.find('\0'));
    if (part.find('\0') != part.npos) break;
    at += part.size();
  }
  return text;
}

class Recorder {
 public:
  Recorder(pid_t pid, std::string below) : pid_(pid), below_(std::move(below) + "/") {
    for (const auto& [path, file] : read_files(below_)) {
      files_.push_back(file.bytes.size());
      names_[path] = files_.size() - 1;
    }
  }
  std::vector<FileCall> calls{};

  void enter(const Info& info) {
    call_ = info.entry.nr;
    std::copy_n(info.entry.args, args_.size(), args_.begin());
    // Read before the call: it may close, rename or free them.
    text_ = other_ = {};
    switch (call_) {
      case SYS_openat:
      case SYS_unlinkat:
        text_ = text_of(pid_, args_[1]);
        break;
#ifdef SYS_rename
      case SYS_rename:
      case SYS_link:
      case SYS_symlink:
        text_ = text_of(pid_, args_[0]);
        other_ = text_of(pid_, args_[1]);
        break;
      case SYS_unlink:
        text_ = text_of(pid_, args_[0]);
        break;
#endif
      case SYS_renameat:
#ifdef SYS_renameat2
      case SYS_renameat2:
#endif
      case SYS_linkat:
        text_ = text_of(pid_, args_[1]);
        other_ = text_of(pid_, args_[3]);
        break;
      case SYS_symlinkat:
        text_ = text_of(pid_, args_[0]);
        other_ = text_of(pid_, args_[2]);
        break;
      case SYS_write:
      case SYS_pwrite64:
        text_ = memory_of(pid_, args_[1], args_[2]);
        break;
      default:
        break;
    }
  }

  void leave(int64_t result) {
    if (result < 0) return;
    const auto fd = static_cast<int>(args_[0]);
    const auto held = open_.find(fd);
    switch (call_) {
      case SYS_openat:
        return opened(static_cast<int>(result), args_[2]);
      case SYS_close:
        open_.erase(fd);
        return;
#ifdef SYS_rename
      case SYS_rename:
        return renamed();
      case SYS_link:
        return linked();
      case SYS_symlink:
        return made_link();
      case SYS_unlink:
        return removed();
#endif
      case SYS_renameat:
#ifdef SYS_renameat2
      case SYS_renameat2:
#endif
        return renamed();
      case SYS_linkat:
        return linked();
      case SYS_symlinkat:
        return made_link();
      case SYS_unlinkat:
        return removed();
      default:
        break;
    }
    if (held == open_.end()) return;
    auto& [file, appends, at, directory] = held->second;
    FileCall c{.file = file, .path = directory};
    switch (call_) {
      case SYS_write:
        if (appends) at = files_[file];
        c.offset = at;
        at += static_cast<uint64_t>(result);
        return wrote(c, static_cast<size_t>(result));
      case SYS_pwrite64:
        c.offset = args_[3];
        return wrote(c, static_cast<size_t>(result));
      case SYS_ftruncate:
        files_[file] = c.offset = args_[1];
        return add(Kind::truncate, c);
      case SYS_fchmod:
        c.mode = static_cast<mode_t>(args_[1]);
        return add(Kind::mode, c);
      case SYS_fchown:
        c.uid = static_cast<uid_t>(args_[1]);
        c.gid = static_cast<gid_t>(args_[2]);
        return add(Kind::owner, c);
      case SYS_fsync:
      case SYS_fdatasync:
        return add(directory.empty() ? Kind::sync : Kind::sync_directory, c);
      default:
        return;
    }
  }

 private:
  struct Open {
    size_t file;
    bool appends;
    uint64_t at;
    std::string directory;
  };

  [[nodiscard]] bool is_below(const std::string& path) const {
    return path.starts_with(below_);
  }
  void add(Kind kind, FileCall c) {
    c.kind = kind;
    calls.push_back(std::move(c));
  }
  void opened(int fd, uint64_t flags) {
    open_.erase(fd);
    if (!is_below(text_)) return;
    if (flags & O_DIRECTORY) {
      open_[fd] = {0, false, 0, text_};
      return;
    }
    const auto known = names_.find(text_);
    if (known == names_.end()) {
      if (!(flags & O_CREAT)) return;  // a directory, or another kind of file
      files_.push_back(0);
      names_[text_] = files_.size() - 1;
      FileCall c{.file = names_[text_], .path = text_};
      add(Kind::create, c);
    } else if (flags & O_TRUNC) {
      files_[known->second] = 0;
      FileCall c{.file = known->second, .path = text_};
      add(Kind::truncate, c);
    }
    open_[fd] = {names_[text_], (flags & O_APPEND) != 0, 0, {}};
  }
  void wrote(FileCall& c, size_t size) {
    c.bytes = text_.substr(0, size);
    files_[c.file] = std::max(files_[c.file], c.offset + size);
    add(Kind::write, c);
  }
  void renamed() {
    if (!is_below(text_)) return;
    FileCall c{.file = names_[text_], .path = text_, .other = other_};
    names_.erase(text_);
    names_[other_] = c.file;
    add(Kind::rename, c);
  }
  void linked() {
    if (!is_below(text_)) return;
    names_[other_] = names_[text_];
    FileCall c{.file = names_[text_], .path = text_, .other = other_};
    add(Kind::link, c);
  }
  void made_link() {
    if (!is_below(other_)) return;
    files_.push_back(text_.size());
    names_[other_] = files_.size() - 1;
    FileCall c{.file = names_[other_], .path = other_, .bytes = text_};
    add(Kind::symlink, c);
  }
  void removed() {
    if (!is_below(text_)) return;
    FileCall c{.file = names_[text_], .path = text_};
    names_.erase(text_);
    add(Kind::remove, c);
  }

  pid_t pid_;
  std::string below_;
  std::map<std::string, size_t> names_{};
  std::vector<uint64_t> files_{};  // their sizes
  std::map<int, Open> open_{};
  uint64_t call_ = 0;
  std::array<uint64_t, 6> args_{};
  std::string text_{}, other_{};
};

}  // namespace

std::optional<std::vector<FileCall>> record_calls(const std::string& below,
                                                  const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
    (void)::raise(SIGSTOP);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  Recorder recorder(pid, below);
  while (WIFSTOPPED(status)) {
    int signal = WSTOPSIG(status);
    if (signal == (SIGTRAP | 0x80)) {
      Info info{};
      ::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
      if (info.op == PTRACE_SYSCALL_INFO_ENTRY) recorder.enter(info);
      if (info.op == PTRACE_SYSCALL_INFO_EXIT) recorder.leave(info.exit.rval);
    }
    if (signal == (SIGTRAP | 0x80) || signal == SIGSTOP) signal = 0;
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, signal);
    ::waitpid(pid, &status, 0);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return std::move(recorder.calls);
}

}  // namespace wigeon
