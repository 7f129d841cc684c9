// SPDX-License-Identifier: GPL-2.0-or-later
// One query within a group: which of its servers are asked in which order, how long each
// has, and what a reply means for the next one. Pure.
#pragma once

#include <vector>

#include "dns/health.hh"
#include "dns/scrub.hh"

namespace wigeon::dns {

inline constexpr std::chrono::seconds kForwardTimeout{5};  // of all servers together

struct Turn {
  std::vector<Endpoint> order{};   // asked one after the other; empty: nobody may be now
  std::vector<Endpoint> probes{};  // asked beside, to see whether they are back
  std::chrono::milliseconds limit{};  // for each
};
Turn turn_of(std::span<const Endpoint> servers, const HealthTable& table,
             ServerHealth::Time now);

enum class Verdict : uint8_t {
  answer,   // NXDOMAIN is one
  refusal,  // somebody else may know: SERVFAIL, REFUSED
  final,    // a refusal for a reason that others must not be asked about
};
Verdict judge(const Scrubbed& reply);

}  // namespace wigeon::dns
