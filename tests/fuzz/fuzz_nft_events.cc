// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a datagram of the kernel about nftables: bounded, and twice the same bytes
// say the same.
#include <cstdlib>

#include "netlink/nft_monitor.hh"

using namespace wigeon::netlink;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  NftHeard once;
  const bool whole = read_touched(Bytes(data, size), once);
  if (once.tables.size() > kMaxTouched) std::abort();
  for (const auto& t : once.tables)
    if (t.family.empty() || t.name.empty()) std::abort();
  const auto before = once.tables;
  if (read_touched(Bytes(data, size), once) != whole || once.tables != before)
    std::abort();
  return 0;
}
