// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/pins.hh"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

namespace wigeon::bpf {

PinDirectory::PinDirectory(UniqueFd fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)) {}

Result<PinDirectory> PinDirectory::open(const std::string& path) {
  const bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return fail_errno(path + ": making the pin directory");
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fail_errno(path + ": opening the pin directory");
  // A umask may have taken bits from ours; it cannot have added any.
  if (made && ::fchmod(fd.get(), 0700) != 0)
    return fail_errno(path + ": setting the mode");

  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return fail_errno(path);
  if (st.st_uid != ::geteuid())
    return fail(EPERM, fmt::format("{}: pin directory belongs to user {}, not to {}",
                                   path, st.st_uid, ::geteuid()));
  if ((st.st_mode & 07777) != 0700)
    return fail(EPERM, fmt::format("{}: pin directory has mode {:04o}, not 0700", path,
                                   st.st_mode & 07777));
  struct statfs fs {};
  if (::fstatfs(fd.get(), &fs) != 0) return fail_errno(path);
  if (fs.f_type != BPF_FS_MAGIC) {
    if (made) ::rmdir(path.c_str());
    return fail(ENOTSUP, path + ": pin directory is not in a BPF file system (bpffs)");
  }
  return PinDirectory(std::move(fd), path);
}

std::string PinDirectory::at(const char* name) const {
  return fmt::format("/proc/self/fd/{}/{}", fd_.get(), name);
}

Result<std::optional<UniqueFd>> PinDirectory::get(const char* name) const {
  UniqueFd fd(::bpf_obj_get(at(name).c_str()));
  if (fd) return std::optional(std::move(fd));
  if (errno == ENOENT) return std::nullopt;
  return fail_errno(text(name));
}

Result<void> PinDirectory::put(int object, const char* name) const {
  const std::string fresh = std::string(name) + "_new";  // bpffs refuses names with dots
  TRY(remove(fresh.c_str()));
  if (::bpf_obj_pin(object, at(fresh.c_str()).c_str()) != 0)
    return fail_errno(text(name) + ": pinning");
  if (::renameat(fd_.get(), fresh.c_str(), fd_.get(), name) != 0) {
    const int code = errno;
    (void)remove(fresh.c_str());  // the rename's failure is the one to tell
    return fail_errno(text(name) + ": pinning", code);
  }
  return {};
}

Result<void> PinDirectory::remove(const char* name) const {
  if (::unlinkat(fd_.get(), name, 0) != 0 && errno != ENOENT)
    return fail_errno(text(name) + ": unpinning");
  return {};
}

Result<std::vector<std::string>> PinDirectory::list() const {
  UniqueFd again(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again) return fail_errno(path_);
  const Owned<DIR, ::closedir> dir(::fdopendir(again.get()));
  if (!dir) return fail_errno(path_);
  (void)std::move(again).release();  // closedir() closes it
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get()))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  std::ranges::sort(names);
  return names;
}

}  // namespace wigeon::bpf
