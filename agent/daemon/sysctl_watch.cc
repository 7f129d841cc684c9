// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/sysctl_watch.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace wigeon {
namespace {

constexpr size_t kMaxNumber = 32;  // what is held are numbers

}  // namespace

bool kernel_tells_of(std::string_view key) { return key.ends_with("forwarding"); }

bool SysctlWatch::Held::is(std::string_view expected) const {
  std::array<char, kMaxNumber> text;
  const ssize_t n = ::pread(fd.get(), text.data(), text.size(), 0);
  if (n < 0) return false;
  std::string_view now(text.data(), static_cast<size_t>(n));
  while (now.ends_with('\n')) now.remove_suffix(1);
  return now == expected;
}

void SysctlWatch::hold(const std::vector<KnownSysctl>& sysctls) {
  std::vector<Held> fresh;
  for (const auto& s : sysctls) {
    if (!s.value || kernel_tells_of(s.key)) continue;
    const auto before = std::ranges::find(held_, s.key, &Held::key);
    // That of an interface made anew under its name is another file.
    if (before != held_.end() && before->is(*s.value)) {
      fresh.push_back({s.key, *s.value, std::move(before->fd)});
      continue;
    }
    const auto path = root_ + "/" + s.key;
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (fd) fresh.push_back({s.key, *s.value, std::move(fd)});
  }
  held_ = std::move(fresh);
}

bool SysctlWatch::changed() const {
  return !std::ranges::all_of(held_, [](const Held& h) { return h.is(h.value); });
}

}  // namespace wigeon
