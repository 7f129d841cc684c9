// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/manager.hh"

namespace wigeon::dns::os {

std::string_view text(ManagerKind kind) {
  switch (kind) {
    case ManagerKind::none:
      return "none";
    case ManagerKind::systemd:
      return "systemd";
    case ManagerKind::network_manager:
      return "networkManager";
    case ManagerKind::resolvconf:
      return "resolvconf";
    case ManagerKind::openresolv:
      return "openresolv";
    case ManagerKind::file:
      return "file";
  }
  return "";
}

std::optional<ManagerKind> kind_of_note(std::string_view note) {
  const auto word = note.substr(0, note.find(' '));
  for (const auto kind :
       {ManagerKind::systemd, ManagerKind::network_manager, ManagerKind::resolvconf,
        ManagerKind::openresolv, ManagerKind::file})
    if (text(kind) == word) return kind;
  return std::nullopt;
}

bool is_resolved_stub(const Address& a) {
  return a == Address::v4(0x7f000035) || a == Address::v4(0x7f000036);
}

}  // namespace wigeon::dns::os
