// SPDX-License-Identifier: GPL-2.0-or-later
// Which peers `wigeon status` shows. A peer passes when it fits each kind of filter
// given, and one item of the kind. Case does not matter.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/control/protocol.hh"
#include "agent/control/status.hh"

namespace wigeon::cli {

struct PeerFilter {
  std::vector<Address> ips{};
  std::vector<std::string> names{};  // beginnings of the FQDN, lower case
  std::optional<PeerState> state{};
  std::optional<ConnectionType> connection{};

  [[nodiscard]] bool empty() const {
    return ips.empty() && names.empty() && !state && !connection;
  }
};

// From the command line; empty strings mean not given. Failures are usage errors.
Outcome<PeerFilter> parse_filter(const std::vector<std::string>& ips,
                                 const std::vector<std::string>& names,
                                 const std::string& state, const std::string& connection);

// Keeps the peers that pass, sorted by address, and counts them anew.
void apply(const PeerFilter& filter, PeersStatus& peers);

}  // namespace wigeon::cli
