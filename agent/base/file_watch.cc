// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/file_watch.hh"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <climits>
#include <cstdlib>
#include <map>
#include <vector>

#include "agent/base/owned.hh"

namespace wigeon {
namespace {

// In the directory that holds the file any name may matter: a ConfigMap swaps "..data".
// On the way there only the next component does.
constexpr uint32_t kOnWay = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                            IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr uint32_t kInside = kOnWay | IN_CLOSE_WRITE | IN_ATTRIB;

struct Directory {
  std::string path{};
  std::string next{};  // the component that matters in it; empty: all do
};

// From the root to the directory that holds the file, that one last.
void add_way(const std::string& path, std::vector<Directory>& way) {
  for (size_t slash = 0; slash != path.npos;) {
    const auto next = path.find('/', slash + 1);
    way.push_back(
        {slash == 0 ? "/" : path.substr(0, slash),
         next == path.npos ? std::string() : path.substr(slash + 1, next - slash - 1)});
    slash = next;
  }
}

}  // namespace

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(
      ::realpath(path.c_str(), nullptr), &std::free);
  return real ? real.get() : std::string();
}

struct FileWatch::State {
  std::string path;
  std::chrono::milliseconds settle;
  Touched touched;
  UniqueFd inotify{};
  std::map<int, Directory> directories{};  // by watch descriptor
  bool scheduled = false;
  Loop::Watch events{}, timer{};

  void arm();
  void hear();
  [[nodiscard]] bool matters(const inotify_event& e) const;
  void schedule();
  void look() {
    arm();
    touched();
  }
};

// Watches what exists now of the way, from the root on: what appears behind us while we
// go is seen by the watch that was set before it.
void FileWatch::State::arm() {
  std::vector<Directory> way;
  add_way(path, way);
  if (const auto real = real_path(path); !real.empty() && real != path)
    add_way(real, way);
  std::map<int, Directory> now;
  for (auto& d : way) {
    // One that is on both ways has one watch, whose mask and names must not shrink.
    const uint32_t mask = d.next.empty() ? kInside : kOnWay | IN_MASK_ADD;
    const int wd = ::inotify_add_watch(inotify.get(), d.path.c_str(), mask);
    if (wd < 0) continue;  // not there (yet)
    const auto [at, made] = now.try_emplace(wd, d);
    if (!made && at->second.next != d.next) at->second.next.clear();
  }
  for (const auto& [wd, d] : directories)
    if (!now.contains(wd)) ::inotify_rm_watch(inotify.get(), wd);
  directories = std::move(now);
}

bool FileWatch::State::matters(const inotify_event& e) const {
  if (e.mask & IN_Q_OVERFLOW) return true;
  const auto at = directories.find(e.wd);
  if (at == directories.end()) return false;  // removed by arm()
  const auto& d = at->second;
  const std::string name = e.len > 0 ? e.name : "";
  if (name.empty()) return true;  // the directory itself
  if (!d.next.empty()) return name == d.next;
  // A new regular file is yet to be written; its IN_CLOSE_WRITE follows. Links come
  // complete.
  struct stat st {};
  return !(e.mask & IN_CREATE) || ::lstat((d.path + '/' + name).c_str(), &st) != 0 ||
         !S_ISREG(st.st_mode) || st.st_nlink != 1;
}

void FileWatch::State::hear() {
  alignas(inotify_event) char buffer[16 * (sizeof(inotify_event) + NAME_MAX + 1)];
  bool any = false;
  for (;;) {
    const ssize_t n = ::read(inotify.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    for (size_t at = 0; at < static_cast<size_t>(n);) {
      const auto& e = *reinterpret_cast<const inotify_event*>(buffer + at);
      any = any || matters(e);
      at += sizeof e + e.len;
    }
  }
  if (any) schedule();
}

// The first event starts the clock, so a directory that never rests cannot put it off.
void FileWatch::State::schedule() {
  if (scheduled) return;
  scheduled = timer.restart(settle).has_value();
  if (!scheduled) look();
}

FileWatch::FileWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileWatch::FileWatch(FileWatch&&) noexcept = default;
FileWatch& FileWatch::operator=(FileWatch&&) noexcept = default;
FileWatch::~FileWatch() = default;

Result<FileWatch> FileWatch::open(Loop& loop, const std::string& path,
                                  std::chrono::milliseconds settle, Touched touched) {
  if (!path.starts_with('/')) return fail(EINVAL, path + ": must be an absolute path");
  auto state = std::make_unique<State>(path, settle, std::move(touched));
  auto* s = state.get();
  s->inotify = UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!s->inotify) return fail_errno("inotify_init1");
  s->events = TRY(loop.watch(s->inotify.get(), EPOLLIN, [s](uint32_t) { s->hear(); }));
  s->timer = TRY(loop.timer([s] {
    s->scheduled = false;
    s->look();
  }));
  s->arm();
  // The root directory is always there, so nothing watched means that nothing can be.
  if (s->directories.empty()) return fail(ENOSPC, path + ": cannot be watched");
  return FileWatch(std::move(state));
}

}  // namespace wigeon
