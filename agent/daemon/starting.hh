// SPDX-License-Identifier: GPL-2.0-or-later
// A daemon that dies while wireguard-go starts leaves a process that will make a link in
// a moment, when whoever cleans up has looked already.
#pragma once

#include <set>

#include "agent/core/journal.hh"

namespace wigeon {

// Returns when every wireguard-go of a link that the journal says was being made serves
// it or is gone. ETIMEDOUT after 5 s.
Result<void> wait_for_starting(const std::set<JournalEntry>& entries);

}  // namespace wigeon
