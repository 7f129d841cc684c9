// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/map_source.hh"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <climits>
#include <cstdlib>
#include <ctime>
#include <map>
#include <vector>

#include "agent/base/file.hh"
#include "agent/base/owned.hh"
#include "agent/model/limits.hh"

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

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(
      ::realpath(path.c_str(), nullptr), &std::free);
  return real ? real.get() : std::string();
}

// What was read last: the file as stat(2) knows it, which is cheap to compare, and a hash
// of the content.
struct Stamp {
  bool told = false;
  bool readable = false;
  size_t hash = 0;  // of the content, or of why there is none
  struct stat st {};

  [[nodiscard]] bool same_file(const struct stat& o) const {
    const auto same = [](const timespec& a, const timespec& b) {
      return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
    };
    return st.st_dev == o.st_dev && st.st_ino == o.st_ino && st.st_size == o.st_size &&
           same(st.st_mtim, o.st_mtim) && same(st.st_ctim, o.st_ctim);
  }
};

}  // namespace

struct MapSource::State {
  std::string path;
  Changed changed;
  UniqueFd inotify{};
  std::map<int, Directory> directories{};  // by watch descriptor
  Stamp seen{};
  bool scheduled = false;
  Loop::Watch events{}, timer{};

  void arm();
  void hear();
  [[nodiscard]] bool matters(const inotify_event& e) const;
  void schedule();
  enum class Tell { changes, always };
  void look(Tell tell);
};

// Watches what exists now of the way, from the root on: what appears behind us while we
// go is seen by the watch that was set before it.
void MapSource::State::arm() {
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

bool MapSource::State::matters(const inotify_event& e) const {
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

void MapSource::State::hear() {
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
void MapSource::State::schedule() {
  if (scheduled) return;
  scheduled = timer.restart(kMapSettle).has_value();
  if (!scheduled) look(Tell::changes);
}

void MapSource::State::look(Tell tell) {
  arm();
  struct stat st {};
  const bool there = ::stat(path.c_str(), &st) == 0;
  // Time stamps tick in milliseconds: a file that changed just now may change again
  // without another stamp.
  const bool settled = there && st.st_ctim.tv_sec + 1 < ::time(nullptr);
  if (tell == Tell::changes && seen.told && settled && seen.same_file(st)) return;
  auto bytes = read_file(path, kMaxMapBytes);
  const Stamp now{.told = true,
                  .readable = bytes.has_value(),
                  .hash = std::hash<std::string>{}(bytes ? *bytes : bytes.error().what),
                  .st = st};
  const bool news = tell == Tell::always || !seen.told || now.readable != seen.readable ||
                    now.hash != seen.hash;
  seen = now;
  if (!news) return;
  if (bytes) return changed({.bytes = std::move(*bytes)});
  const int code = bytes.error().code;
  changed({.error = path + ": " + bytes.error().what,
           .missing = code == ENOENT || code == ENOTDIR});
}

MapSource::MapSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
MapSource::MapSource(MapSource&&) noexcept = default;
MapSource& MapSource::operator=(MapSource&&) noexcept = default;
MapSource::~MapSource() = default;

Result<MapSource> MapSource::open(Loop& loop, std::string path, Changed changed) {
  if (!path.starts_with('/')) return fail(EINVAL, path + ": must be an absolute path");
  auto state = std::make_unique<State>(std::move(path), std::move(changed));
  auto* s = state.get();
  s->inotify = UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!s->inotify) return fail_errno("inotify_init1");
  s->events = TRY(loop.watch(s->inotify.get(), EPOLLIN, [s](uint32_t) { s->hear(); }));
  s->timer = TRY(loop.timer([s] {
    s->scheduled = false;
    s->look(State::Tell::changes);
  }));
  s->look(State::Tell::always);
  // The root directory is always there, so nothing watched means that nothing can be.
  if (s->directories.empty()) return fail(ENOSPC, s->path + ": cannot be watched");
  return MapSource(std::move(state));
}

void MapSource::reload() { state_->look(State::Tell::always); }

}  // namespace wigeon
