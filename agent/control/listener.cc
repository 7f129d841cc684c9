// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/listener.hh"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <vector>

namespace wigeon {
namespace {

constexpr int kBacklog = 64;
constexpr size_t kMaxGroupEntry = size_t{1} << 20;  // a group with very many members

Result<sockaddr_un> address(const std::string& path) {
  sockaddr_un sun{};
  sun.sun_family = AF_UNIX;
  if (path.size() >= sizeof sun.sun_path)
    return fail(ENAMETOOLONG, path + ": a socket's path has at most 107 bytes");
  std::memcpy(sun.sun_path, path.data(), path.size());
  return sun;
}

Result<void> remove_stale(const std::string& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno(path);
  }
  if (!S_ISSOCK(st.st_mode)) return fail(EEXIST, path + ": exists and is not a socket");
  if (::unlink(path.c_str()) != 0) return fail_errno(path + ": removing a stale socket");
  return {};
}

}  // namespace

std::optional<gid_t> find_group(const std::string& name) {
  std::vector<char> buffer(1024);
  for (;;) {
    group entry{};
    group* found = nullptr;
    const int r =
        ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (r == ERANGE && buffer.size() < kMaxGroupEntry) {
      buffer.resize(buffer.size() * 2);
      continue;
    }
    if (r != 0 || !found) return std::nullopt;
    return found->gr_gid;
  }
}

Result<Listener> Listener::open(const std::string& path, std::optional<gid_t> group,
                                const Lock&) {
  const sockaddr_un sun = TRY(address(path));
  TRY(remove_stale(path));
  Listener listener;
  listener.fd_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.fd_) return fail_errno("socket");
  // The mode of the socket before bind(2) is that of the name: no moment, and no umask,
  // in which others could connect.
  if (::fchmod(listener.fd_.get(), 0600) != 0) return fail_errno("fchmod");
  if (::bind(listener.fd_.get(), reinterpret_cast<const sockaddr*>(&sun), sizeof sun) !=
      0)
    return fail_errno(path + ": bind");
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) return fail_errno(path);
  listener.path_ = path;
  listener.device_ = st.st_dev;
  listener.inode_ = st.st_ino;
  if (group && ::lchown(path.c_str(), ::geteuid(), *group) != 0)
    return fail_errno(path + ": giving it to gid " + std::to_string(*group));
  if (group && ::chmod(path.c_str(), 0660) != 0) return fail_errno(path + ": chmod 0660");
  if (::listen(listener.fd_.get(), kBacklog) != 0) return fail_errno(path + ": listen");
  return listener;
}

Listener::~Listener() {
  struct stat st {};
  if (fd_ && !path_.empty() && ::lstat(path_.c_str(), &st) == 0 && st.st_dev == device_ &&
      st.st_ino == inode_)
    ::unlink(path_.c_str());
}

}  // namespace wigeon
