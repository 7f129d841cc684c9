// SPDX-License-Identifier: GPL-2.0-or-later
// What a daemon that is no more has left on the host: shown, taken away, or forgotten,
// without a daemon. Each works from the journal and the daemon's lock alone.
//
// A state has a name: "link_state" for the journal's kinds "link" and "making",
// KIND_state for every other kind. Files that keep no record of the host have names too,
// but are forgotten only on request: "map_state", "routeselector_state", "daemon_state".
//
// Errors: EALREADY while a daemon holds the lock; EBADR for a name that is no state;
// EACCES and EPERM without permission; EINVAL for a journal that cannot be read.
#pragma once

#include <string>
#include <vector>

#include "agent/core/journal.hh"
#include "agent/core/kernel.hh"
#include "agent/model/config.hh"

namespace wigeon {

std::string state_name(const JournalEntry& entry);

// By name, then by detail. Needs no lock: a daemon may be writing.
Result<std::vector<JournalEntry>> list_states(const Config& config);

struct Cleaned {
  std::vector<std::string> names{};  // states that are stored no longer, sorted
  std::string note{};                // what else happened; empty mostly
};

// name: one state, or "" for all. What fails stays in the journal.
Result<Cleaned> clean_states(const Config& config, const std::string& name);
// Takes back what the host was told of our resolver, and what leads its queries there,
// whether the daemon shall be up or down: for the service manager, after the daemon
// ended. Nothing while a daemon holds the lock. The notes of what went.
Result<std::vector<std::string>> restore_dns(const Config& config);
// Forgets the record and leaves the host as it is.
Result<Cleaned> delete_states(const Config& config, const std::string& name);

// The engine's part of clean_states(), on a kernel and a journal that are open. When the
// journal was unreadable, a link of this name is known by the alias that only we give.
Result<Cleaned> clean_states(Kernel& kernel, Journal& journal, const std::string& link,
                             const std::string& name);

}  // namespace wigeon
