// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/own_table.hh"

#include "agent/base/digest.hh"
#include "agent/base/marks.hh"

namespace wigeon {
Result<netlink::Nftables*> OwnTable::nft() {
  if (!nft_) nft_ = TRY(netlink::Nftables::open());
  return &*nft_;
}

Result<std::optional<uint64_t>> OwnTable::observe() {
  auto nft = this->nft();
  if (!nft && (nft.error().code == EPERM || nft.error().code == EOPNOTSUPP))
    return std::nullopt;
  if (!nft) return std::unexpected(std::move(nft).error());
  const auto listing = TRY((*nft)->list_table(kNftFamily, name_));
  if (!listing) return std::nullopt;
  return digest(*listing) == listing_ ? text_ : 0;
}

Result<void> OwnTable::set(const std::string& text) {
  auto* nft = TRY(this->nft());
  TRY(nft->apply(text));
  const auto listing = TRY(nft->list_table(kNftFamily, name_));
  text_ = digest(text);
  listing_ = listing ? digest(*listing) : 0;
  return {};
}

Result<void> OwnTable::remove() {
  auto* nft = TRY(this->nft());
  text_ = listing_ = 0;
  return nft->delete_table(kNftFamily, name_);
}

Result<std::string> OwnTable::counters() {
  auto* nft = TRY(this->nft());
  return nft->list_counters(kNftFamily, name_);
}

}  // namespace wigeon
