// SPDX-License-Identifier: GPL-2.0-or-later
// The manager of each kind, and the undoing of what any of them has done.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/bus.hh"
#include "agent/base/loop.hh"
#include "dns/os/manager.hh"

namespace wigeon::dns::os {

// kind is not none. left: notes of an earlier run with this manager; base: where what
// resolv.conf was before us is kept.
std::unique_ptr<HostManager> make_manager(ManagerKind kind, Loop& loop, Bus& bus,
                                          const std::string& base,
                                          const std::vector<std::string>& left,
                                          HostManager::Events events);

// Takes back what a note says without a daemon. Waits, at most as long as the limit. Done
// as well when nothing of it is there any more. EINVAL: nobody understands the note.
Result<void> undo(const std::string& note, const std::string& base,
                  std::chrono::milliseconds limit);

// The notes that what is on the host gives away by itself, for when they were lost.
std::vector<std::string> recognise();

}  // namespace wigeon::dns::os
