// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/lock.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>

#include "agent/base/file.hh"
#include "agent/base/ip.hh"

namespace wigeon {
namespace {

Result<void> check_directory(const std::string& directory) {
  struct stat st {};
  if (::stat(directory.c_str(), &st) != 0) return fail_errno(directory);
  if ((st.st_uid != 0 && st.st_uid != ::geteuid()) || (st.st_mode & 022))
    return fail(EPERM,
                directory + ": others can write to it; chown root and chmod 0755 it");
  return {};
}

// " (pid 123)", or nothing when the file does not say.
std::string holder(int fd) {
  std::array<char, 16> pid{};
  const ssize_t n = ::pread(fd, pid.data(), pid.size() - 1, 0);
  std::string_view digits(pid.data(), n > 0 ? static_cast<size_t>(n) : 0);
  digits = digits.substr(0, digits.find('\n'));
  if (!parse_number(digits, INT32_MAX)) return "";
  return " (pid " + std::string(digits) + ")";
}

}  // namespace

Result<Lock> Lock::take(const std::string& directory) {
  TRY(make_directories(directory, 0755));
  TRY(check_directory(directory));
  const std::string path = directory + "/lock";
  // 0600: whoever can open the file could flock it and keep us out.
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno(path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno(path + ": flock");
    return fail(EALREADY, "another daemon" + holder(fd.get()) + " runs in " + directory);
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return fail_errno(path + ": writing the pid");
  return Lock(std::move(fd));
}

}  // namespace wigeon
