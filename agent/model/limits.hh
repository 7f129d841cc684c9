// SPDX-License-Identifier: GPL-2.0-or-later
// What a document may hold. A map or settings file beyond one of these is refused whole.
#pragma once

#include <cstddef>

namespace wigeon {

inline constexpr size_t kMaxMapBytes = 32u << 20;
inline constexpr size_t kMaxSettingsBytes = 1u << 20;
inline constexpr size_t kMaxSettingsFiles = 256;  // in config.d

// Of any JSON text we decode.
inline constexpr size_t kMaxDepth = 32;
inline constexpr size_t kMaxStringBytes = 4096;
inline constexpr size_t kMaxWordBytes = 64;   // a number, true, false, null
inline constexpr size_t kMaxMembers = 65536;  // of one object
inline constexpr size_t kMaxProblems = 100;   // listed; the rest is counted
inline constexpr size_t kMaxProblemsCounted = 10000;
// What the elements of all lists may take: this much, and a multiple of the input.
inline constexpr size_t kDecodedFloor = 1u << 20;
inline constexpr size_t kDecodedPerByte = 7;

inline constexpr size_t kMaxPeers = 50'000;  // remote and offline ones, each
inline constexpr size_t kMaxPrefixesPerPeer = 256;
inline constexpr size_t kMaxPrefixes = 500'000;
inline constexpr size_t kMaxEndpointsPerPeer = 8;
inline constexpr size_t kMaxAddressesPerName = 8;  // that are tried as endpoints
inline constexpr size_t kMaxGroupsPerPeer = 256;
inline constexpr size_t kMaxMapRoutes = 50'000;
inline constexpr size_t kMaxDomains = 10'000;  // of one route, rule or nameserver group
inline constexpr size_t kMaxNameServerGroups = 1'000;
inline constexpr size_t kMaxNameServers = 16;  // of one group
inline constexpr size_t kMaxZones = 1'000;
inline constexpr size_t kMaxRecords = 1'000'000;  // of all zones
inline constexpr size_t kMaxRules = 200'000;      // of each kind
inline constexpr size_t kMaxRuleSources = 65'536;
inline constexpr size_t kMaxListedSettings =
    1'024;                                     // entries of one list in the settings
inline constexpr size_t kMaxRefusals = 1'000;  // listed; the rest is counted

}  // namespace wigeon
