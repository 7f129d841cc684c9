// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/make.hh"

#include "agent/base/file.hh"
#include "dns/os/environment.hh"
#include "dns/os/network_manager.hh"
#include "dns/os/resolv_file.hh"
#include "dns/os/resolvconf.hh"
#include "dns/os/resolved.hh"
#include "dns/resolv_conf.hh"

namespace wigeon::dns::os {
namespace {

std::optional<std::string> first(const std::vector<std::string>& notes) {
  if (notes.empty()) return std::nullopt;
  return notes.front();
}

}  // namespace

std::unique_ptr<HostManager> make_manager(ManagerKind kind, Loop& loop, Bus& bus,
                                          const std::string& base,
                                          const std::vector<std::string>& left,
                                          HostManager::Events events) {
  switch (kind) {
    case ManagerKind::systemd:
      return std::make_unique<Resolved>(loop, bus, first(left), std::move(events));
    case ManagerKind::network_manager:
      return std::make_unique<NetworkManager>(loop, bus, first(left), std::move(events));
    case ManagerKind::resolvconf:
    case ManagerKind::openresolv:
      return std::make_unique<ResolvconfManager>(loop, kind, ResolvconfPaths{}, left,
                                                 std::move(events));
    case ManagerKind::file:
    case ManagerKind::none:
      break;
  }
  return std::make_unique<FileManager>(loop, FileManager::Options{.base = base}, left,
                                       std::move(events));
}

Result<void> undo(const std::string& note, const std::string& base,
                  std::chrono::milliseconds limit) {
  switch (kind_of_note(note).value_or(ManagerKind::none)) {
    case ManagerKind::systemd:
      return undo_resolved(note, limit);
    case ManagerKind::network_manager:
      return undo_network_manager(note, limit);
    case ManagerKind::resolvconf:
    case ManagerKind::openresolv:
      return undo_resolvconf(note);
    case ManagerKind::file:
      return undo_file(note, base);
    case ManagerKind::none:
      break;
  }
  return fail(EINVAL, "nobody understands the note: " + note);
}

std::vector<std::string> recognise() {
  const EnvironmentWatch::Paths paths;
  const auto text = read_file(paths.resolv_conf, kMaxResolvConf);
  if (!text || !text->starts_with(kResolvConfMark)) return {};
  return {std::string(wigeon::dns::os::text(ManagerKind::file)) + ' ' +
          paths.resolv_conf};
}

}  // namespace wigeon::dns::os
