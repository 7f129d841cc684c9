// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/sysctl.hh"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "agent/base/file.hh"
#include "agent/base/owned.hh"

namespace wigeon {
namespace {

using Directory = Owned<DIR, ::closedir>;

Result<std::string> path_of(const std::string& key, std::string_view root) {
  std::string_view rest = key;
  for (bool more = true; more;) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.contains('\0'))
      return fail(EINVAL, "\"" + key + "\" is no path below " + std::string(root));
    more = slash != rest.npos;
    rest.remove_prefix(more ? slash + 1 : rest.size());
  }
  return std::string(root) + "/" + key;
}

// accept_ra, one interface's, all interfaces'.
auto rank(std::string_view key) {
  return std::tuple(!key.ends_with("/accept_ra"), key.contains("/conf/all/"), key);
}

}  // namespace

Result<std::string> read_sysctl(const std::string& key, std::string_view root) {
  const auto path = TRY(path_of(key, root));
  auto text = TRY(read_file(path, kMaxSysctlBytes));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<void> write_sysctl(const std::string& key, std::string_view value,
                          std::string_view root) {
  const auto path = TRY(path_of(key, root));
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return fail_errno(key);
  const auto line = std::string(value) + "\n";
  const auto written = ::write(fd.get(), line.data(), line.size());
  if (written < 0) return fail_errno(key + " = " + std::string(value));
  if (static_cast<size_t>(written) != line.size())
    return fail(EIO, key + ": written in part only");
  return {};
}

Result<std::vector<std::string>> written_along(const std::string& key,
                                               std::string_view root) {
  std::vector<std::string> along;
  const std::string conf = "net/ipv6/conf";
  if (key != conf + "/all/forwarding") return along;
  const Directory dir(::opendir((std::string(root) + "/" + conf).c_str()));
  if (!dir) return fail_errno(conf);
  while (const auto* entry = ::readdir(dir.get())) {
    const std::string_view link = entry->d_name;
    if (link == "." || link == ".." || link == "all") continue;
    along.push_back(conf + "/" + std::string(link) + "/forwarding");
  }
  std::ranges::sort(along);
  return along;
}

bool written_before(std::string_view a, std::string_view b) { return rank(a) < rank(b); }

}  // namespace wigeon
