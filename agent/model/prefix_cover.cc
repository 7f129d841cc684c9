// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/prefix_cover.hh"

#include <algorithm>
#include <tuple>

namespace wigeon {

PrefixCover::PrefixCover(std::vector<Entry> entries) : entries_(std::move(entries)) {
  // A network sorts before all that lie in it.
  const auto place = [](const Entry& e) { return std::tie(e.prefix, e.tag); };
  if (!std::ranges::is_sorted(entries_, {}, place))
    std::ranges::sort(entries_, {}, place);
  size_t kept = 0;
  for (const auto& e : entries_)
    if (kept == 0 || !entries_[kept - 1].prefix.contains(e.prefix)) entries_[kept++] = e;
  entries_.resize(kept);
}

const PrefixCover::Entry* PrefixCover::containing(const Address& a) const {
  return containing(Prefix::host(a));
}

const PrefixCover::Entry* PrefixCover::containing(const Prefix& p) const {
  const auto behind = std::ranges::upper_bound(entries_, p, {}, &Entry::prefix);
  if (behind == entries_.begin()) return nullptr;
  const Entry& e = *std::prev(behind);
  return e.prefix.contains(p) ? &e : nullptr;
}

const PrefixCover::Entry* PrefixCover::overlapping(const Prefix& p) const {
  if (const Entry* e = containing(p)) return e;
  const auto next = std::ranges::lower_bound(entries_, p, {}, &Entry::prefix);
  return next != entries_.end() && p.contains(next->prefix) ? &*next : nullptr;
}

}  // namespace wigeon
