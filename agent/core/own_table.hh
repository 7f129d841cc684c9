// SPDX-License-Identifier: GPL-2.0-or-later
// A nftables table of ours, and whether it is as we made it. The kernel lists a table in
// words of its own, so what is compared is the listing right after we made it; a table
// made by an earlier process counts as changed and is replaced once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/result.hh"
#include "netlink/nftables.hh"

namespace wigeon {

class OwnTable {
 public:
  explicit OwnTable(std::string name) : name_(std::move(name)) {}

  // As Observed::nft. None as well where we may not look, or there is no nftables.
  Result<std::optional<uint64_t>> observe();
  // In one transaction.
  Result<void> set(const std::string& text);
  // Not there is success.
  Result<void> remove();
  // As list_counters() of it.
  Result<std::string> counters();

 private:
  Result<netlink::Nftables*> nft();

  std::string name_;
  std::optional<netlink::Nftables> nft_{};  // opened when first needed
  uint64_t text_ = 0;                       // digest of what we made last; 0: nothing
  uint64_t listing_ = 0;                    // digest of how the kernel lists it
};

}  // namespace wigeon
