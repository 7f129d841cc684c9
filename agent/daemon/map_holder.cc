// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/map_holder.hh"

#include "agent/base/file.hh"
#include "agent/base/log.hh"
#include "agent/daemon/map_cache.hh"
#include "agent/daemon/state_files.hh"

namespace wigeon {
namespace {

// A line each, the last one without its end.
std::string text(const Problems& problems) {
  std::string s = problems.text();
  while (s.ends_with('\n')) s.pop_back();
  return s;
}

}  // namespace

MapContext MapHolder::context(Force force, const std::string& from) const {
  MapContext c;
  c.file = from;
  c.own_key = own_;
  if (map_) c.applied_serial = map_->serial;
  c.force_serial = force == Force::yes;
  return c;
}

Result<void> MapHolder::offer(const std::string& bytes, const std::string& from,
                              const Config& config, const HostView& host,
                              const Resolved& resolved, Force force) {
  const auto refuse = [this](const Problems& problems) {
    error_ = text(problems);
    return fail(EINVAL, error_);
  };
  auto map = decode_map(bytes, from);
  if (!map) return refuse(map.error());
  auto c = context(force, from);
  c.resolved = resolved;
  auto verdict = validate(config, *map, c);
  if (verdict.ok()) validate_on_host(config, *map, c, host, verdict);
  if (!verdict.ok()) return refuse(verdict.errors);
  take(std::move(*map), std::move(verdict));
  from_ = from;
  stale_ = false;
  error_.clear();
  if (auto kept = save_last_good(directory_, bytes); !kept)
    log::warning("the last good map cannot be kept: {}", kept.error().what);
  return {};
}

bool MapHolder::load_last_good(const Config& config) {
  const auto bytes = read_last_good(directory_);
  if (!bytes) return false;
  const auto from = last_good_file(directory_);
  auto map = decode_map(*bytes, from);
  if (!map) return false;
  auto verdict = validate(config, *map, context(Force::no, from));
  if (!verdict.ok()) return false;
  take(std::move(*map), std::move(verdict));
  from_ = from;
  stale_ = true;
  return true;
}

void MapHolder::take(NetworkMap map, Verdict verdict) {
  map_ = std::move(map);
  verdict_ = std::move(verdict);
  judged_ = false;
  loaded_at_ = std::chrono::system_clock::now();
}

Result<void> MapHolder::judge(const HostView& host, const Resolved& resolved,
                              const Config& config) {
  auto c = context(Force::no, from_);
  c.resolved = resolved;
  c.in_force = judged_;
  auto verdict = validate(config, *map_, c);
  validate_on_host(config, *map_, c, host, verdict);
  verdict_ = std::move(verdict);
  if (!verdict_.ok()) return fail(EADDRINUSE, text(verdict_.errors));
  judged_ = true;
  return {};
}

MapStatus MapHolder::status() const {
  MapStatus s;
  s.loaded_at = loaded_at_;
  s.error = error_;
  s.stale = stale_;
  return s;
}

}  // namespace wigeon
