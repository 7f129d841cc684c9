// SPDX-License-Identifier: GPL-2.0-or-later
// What the rungs that are BPF programs have in common.
#pragma once

#include <unistd.h>

#include <optional>
#include <string>

#include "agent/base/log.hh"
#include "agent/daemon/redirect.hh"
#include "bpf/about.hh"
#include "bpf/pins.hh"

namespace wigeon {

// None where there is no bpffs or it is not ours: what is attached ends with us then.
inline std::optional<bpf::PinDirectory> open_pins(const std::string& path) {
  auto pins = bpf::PinDirectory::open(path);
  if (pins) return std::move(*pins);
  log::warning("nothing is pinned: {}", pins.error().what);
  return std::nullopt;
}

// To take away: none when nothing was ever pinned there.
inline Result<std::optional<bpf::PinDirectory>> find_pins(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return fail_errno(path);
  }
  return TRY(bpf::PinDirectory::open(path));
}

// Others' pins may be there, or nothing at all.
inline void leave_pins(const std::string& path) { (void)::rmdir(path.c_str()); }

inline RedirectAbout to_about(bpf::About about) {
  return {.program_id = about.id, .tag = std::move(about.tag)};
}

}  // namespace wigeon
