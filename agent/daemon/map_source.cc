// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/map_source.hh"

#include <sys/stat.h>

#include <ctime>

#include "agent/base/file.hh"
#include "agent/base/file_watch.hh"
#include "agent/model/limits.hh"

namespace wigeon {
namespace {

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
  Stamp seen{};
  std::optional<FileWatch> watch{};

  enum class Tell { changes, always };
  void look(Tell tell);
};

void MapSource::State::look(Tell tell) {
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
  auto state = std::make_unique<State>(std::move(path), std::move(changed));
  auto* s = state.get();
  s->watch = TRY(
      FileWatch::open(loop, s->path, kMapSettle, [s] { s->look(State::Tell::changes); }));
  s->look(State::Tell::always);
  return MapSource(std::move(state));
}

void MapSource::reload() { state_->look(State::Tell::always); }

}  // namespace wigeon
