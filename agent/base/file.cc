// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/file.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "agent/base/owned.hh"

namespace wigeon {
namespace {

Result<void> write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write");
    content.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

// The content, synced, in a new file beside path; returns its name. Nothing stays on
// failure.
Result<std::string> write_beside(const std::string& path, std::string_view content,
                                 mode_t mode) {
  std::string temp = path + ".XXXXXX";
  UniqueFd fd(::mkostemp(temp.data(), O_CLOEXEC));
  if (!fd) return fail_errno(path + ": creating a temporary file beside it");
  auto written = [&]() -> Result<void> {
    if (::fchmod(fd.get(), mode) != 0) return fail_errno("fchmod");
    TRY(write_all(fd.get(), content));
    if (::fsync(fd.get()) != 0) return fail_errno("fsync");
    return {};
  }();
  if (!written) {
    ::unlink(temp.c_str());
    return within(path, std::move(written).error());
  }
  return temp;
}

}  // namespace

std::string parent_directory(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string program_near(const std::string& installed, const std::string& name) {
  std::string self(PATH_MAX, '\0');
  const ssize_t n = ::readlink("/proc/self/exe", self.data(), self.size());
  self.resize(n > 0 ? static_cast<size_t>(n) : 0);
  const std::string here = parent_directory(self) + "/";
  const std::string there = here + installed + "/" + name;
  return ::access(there.c_str(), X_OK) == 0 ? there : here + name;
}

Result<std::string> read_file(const std::string& path, size_t max, FileRule rule) {
  // O_NONBLOCK: opening a FIFO nobody writes to must not hang.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return fail_errno("open");
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return fail_errno("fstat");
  if (!S_ISREG(st.st_mode)) return fail(EINVAL, "not a regular file");
  if (rule == FileRule::secret) {
    if (st.st_mode & 077)
      return fail(EPERM, "others than its owner can read it; chmod 0600 it first");
    if (st.st_uid != 0 && st.st_uid != ::geteuid())
      return fail(EPERM, "it belongs to uid " + std::to_string(st.st_uid));
  }
  const auto too_big = [&] {
    return fail(EFBIG, "larger than the limit of " + std::to_string(max) + " bytes");
  };
  if (static_cast<uint64_t>(st.st_size) > max) return too_big();
  std::string content(static_cast<size_t>(st.st_size) + 1, '\0');
  size_t have = 0;
  for (;;) {
    const ssize_t n = ::read(fd.get(), content.data() + have, content.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read");
    if (n == 0) break;
    have += static_cast<size_t>(n);
    if (have > max) return too_big();
    if (have == content.size()) content.resize(have * 2);
  }
  content.resize(have);
  return content;
}

Result<void> sync_directory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return fail_errno(path + ": syncing the directory");
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view content,
                          mode_t mode) {
  const auto temp = TRY(write_beside(path, content, mode));
  if (::rename(temp.c_str(), path.c_str()) != 0) {
    auto error = fail_errno(path + ": rename");
    ::unlink(temp.c_str());
    return error;
  }
  return sync_directory(parent_directory(path));
}

Result<void> write_new_file(const std::string& path, std::string_view content,
                            mode_t mode) {
  TRY(make_directories(parent_directory(path), 0700));
  const auto temp = TRY(write_beside(path, content, mode));
  const int linked = ::link(temp.c_str(), path.c_str());
  auto error = fail_errno(path);
  ::unlink(temp.c_str());
  if (linked != 0) return error;
  return sync_directory(parent_directory(path));
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  for (size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    if (::mkdir(path.substr(0, at).c_str(), mode) != 0 && errno != EEXIST)
      return fail_errno(path.substr(0, at) + ": mkdir");
  }
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return fail_errno(path);
  if (!S_ISDIR(st.st_mode)) return fail(ENOTDIR, path + ": not a directory");
  return {};
}

}  // namespace wigeon
