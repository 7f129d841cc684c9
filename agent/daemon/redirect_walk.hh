// SPDX-License-Identifier: GPL-2.0-or-later
// One query to port 53 followed step by step, from what was counted on its way. Pure.
#pragma once

#include "agent/control/protocol.hh"
#include "agent/control/status.hh"
#include "dns/os/probe.hh"

namespace wigeon {

struct WalkInput {
  std::string name{};                 // what was asked for
  const DnsStatus* before = nullptr;  // redirect… and listen, just before it and after it
  const DnsStatus* after = nullptr;
};

// A walk for each result; all of them are of queries between before and after.
std::vector<RedirectWalk> redirect_walks(
    const WalkInput& in, const std::vector<dns::os::ProbeResult>& results);

}  // namespace wigeon
