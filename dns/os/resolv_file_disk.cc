// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <csignal>

#include "agent/base/file.hh"
#include "agent/base/owned.hh"
#include "dns/os/resolv_file_base.hh"

namespace wigeon::dns::os {
namespace {

std::string temporary(const std::string& path) { return path + ".wigeon"; }

Result<void> write_at_start(int fd, std::string_view bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n =
        ::pwrite(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write");
    done += static_cast<size_t>(n);
  }
  return {};
}

Result<void> own(int fd, const ConfFile& file) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return fail_errno("fstat");
  if ((st.st_uid != file.uid || st.st_gid != file.gid) &&
      ::fchown(fd, file.uid, file.gid) != 0)
    return fail_errno("fchown");
  if ((st.st_mode & 07777) != file.mode && ::fchmod(fd, file.mode) != 0)
    return fail_errno("fchmod");
  return {};
}

Result<void> make_temporary(const std::string& path, const ConfFile& file) {
  if (file.kind == ConfFile::Kind::link) {
    if (::symlink(file.target.c_str(), path.c_str()) != 0) return fail_errno("symlink");
    return {};
  }
  const UniqueFd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno("open");
  TRY(write_at_start(fd.get(), file.bytes));
  TRY(own(fd.get(), file));
  if (::fsync(fd.get()) != 0) return fail_errno("fsync");
  return {};
}

Result<void> replace(const std::string& path, const ConfFile& file) {
  if (file.kind == ConfFile::Kind::missing) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("unlink");
  } else {
    const auto temp = temporary(path);
    ::unlink(temp.c_str());
    auto made = make_temporary(temp, file);
    if (made && ::rename(temp.c_str(), path.c_str()) != 0) made = fail_errno("rename");
    if (!made) {
      ::unlink(temp.c_str());
      return made;
    }
  }
  return sync_directory(parent_directory(path));
}

// Space first, so that a full disk leaves the old content; then one write, padded with
// empty lines to the old size, so that nobody reads the end of the old behind the new.
Result<void> overwrite(const std::string& path, const ConfFile& file) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return fail_errno("open");
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return fail_errno("fstat");
  if (!S_ISREG(st.st_mode)) return fail(EINVAL, "not a regular file");
  const auto size = static_cast<off_t>(file.bytes.size());
  if (size > st.st_size && ::fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, size) != 0 &&
      errno != EOPNOTSUPP)
    return fail_errno("fallocate");
  std::string padded = file.bytes;
  if (st.st_size > size && st.st_size <= static_cast<off_t>(kMaxResolvConf))
    padded.append(static_cast<size_t>(st.st_size - size), '\n');
  TRY(write_at_start(fd.get(), padded));
  if (::ftruncate(fd.get(), size) != 0) return fail_errno("ftruncate");
  TRY(own(fd.get(), file));
  if (::fsync(fd.get()) != 0) return fail_errno("fsync");
  return {};
}

}  // namespace

Result<ConfFile> read_conf(const std::string& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) {
    if (errno == ENOENT) return ConfFile();
    return fail_errno(path);
  }
  ConfFile file;
  if (S_ISLNK(st.st_mode)) {
    file.kind = ConfFile::Kind::link;
    char target[PATH_MAX];
    const ssize_t n = ::readlink(path.c_str(), target, sizeof target);
    if (n <= 0) return fail_errno(path + ": readlink");
    file.target.assign(target, static_cast<size_t>(n));
    if (file.target.find('\n') != file.target.npos)
      return fail(EINVAL, path + ": a link with a line end in it");
    if (auto bytes = read_file(path, kMaxResolvConf)) file.bytes = std::move(*bytes);
    return file;
  }
  if (!S_ISREG(st.st_mode)) return fail(EINVAL, path + ": neither a file nor a link");
  file.kind = ConfFile::Kind::file;
  file.mode = st.st_mode & 07777;
  file.uid = st.st_uid;
  file.gid = st.st_gid;
  auto bytes = read_file(path, kMaxResolvConf);
  if (!bytes) return within(path, std::move(bytes).error());
  file.bytes = std::move(*bytes);
  return file;
}

Result<void> write_conf(const std::string& path, const ConfFile& file) {
  auto replaced = replace(path, file);
  if (replaced) return {};
  const int code = replaced.error().code;
  const bool fixed = code == EBUSY || code == EROFS || code == EACCES || code == EPERM;
  auto before = fixed ? read_conf(path) : fail(code, "");
  if (!before || before->kind != ConfFile::Kind::file ||
      file.kind == ConfFile::Kind::link)
    return within(path, std::move(replaced).error());
  // Of a file that cannot go away, missing is empty.
  auto content = file;
  if (file.kind == ConfFile::Kind::missing) {
    content = *before;
    content.bytes.clear();
  }
  auto written = overwrite(path, content);
  if (written) return {};
  (void)overwrite(path, *before);  // what we began; the first failure is the one to tell
  return within(path, std::move(written).error());
}

void remove_temporary(const std::string& path) { ::unlink(temporary(path).c_str()); }

bool is_being_written(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return false;
  // Whoever opens it meanwhile makes the kernel send this; SIGIO would end us.
  ::fcntl(fd.get(), F_SETSIG, SIGURG);
  if (::fcntl(fd.get(), F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN;
  ::fcntl(fd.get(), F_SETLEASE, F_UNLCK);
  return false;
}

}  // namespace wigeon::dns::os
