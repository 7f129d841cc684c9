// SPDX-License-Identifier: GPL-2.0-or-later
// Our nftables table as text for libnftables 1.0.6 and newer.
#pragma once

#include <cstdint>
#include <string>

#include "agent/model/nft_table.hh"

namespace wigeon {

// One transaction that makes the table, or takes the place of the one that is there:
// every packet meets the old rules or the new ones. The same value is the same text.
// table.link must be an interface name (check_interface_name), table.name letters, digits
// and underscores.
std::string ruleset(const NftTable& table);

// How many rules such a text has.
uint64_t rules_in(const std::string& ruleset);

}  // namespace wigeon
