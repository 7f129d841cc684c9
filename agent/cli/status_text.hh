// SPDX-License-Identifier: GPL-2.0-or-later
// `wigeon status` for people. NetBird's lines come first, with its labels, order and
// words; ours follow the last of them.
#pragma once

#include <string>

#include "agent/control/status.hh"

namespace wigeon::cli {

// urls: "Connected to …", and relays, nameservers and SSH sessions as lists.
enum class Detail { counts, lists };

// From "OS:" to "Peers count:".
std::string summary_text(const StatusReport& report, WallTime now, Detail detail);
// From "DNS:" to "Degraded:".
std::string own_text(const StatusReport& report, WallTime now, Detail detail);
// One block for each peer, with an empty line before each.
std::string peers_text(const StatusReport& report, WallTime now);
std::string events_text(const StatusReport& report, WallTime now);

std::string short_text(const StatusReport& report, WallTime now);
std::string detail_text(const StatusReport& report, WallTime now);

}  // namespace wigeon::cli
