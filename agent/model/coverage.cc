// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/coverage.hh"

#include <cmath>

namespace wigeon {

double Coverage::share(const Prefix& p) {
  if (p.family() == Family::v4) return std::ldexp(1.0, -p.bits());
  static const Prefix global = *Prefix::parse("2000::/3");
  if (p.contains(global)) return 1;
  return global.contains(p) ? std::ldexp(1.0, global.bits() - p.bits()) : 0;
}

bool Coverage::add_within_half(const Prefix& p) {
  const auto first = apart_.lower_bound(p);
  auto last = first;
  double inside = 0;
  for (; last != apart_.end() && p.contains(last->first); ++last) inside += last->second;
  const double mine = share(p);
  if (covered_ - inside + mine > 0.5) return false;
  apart_.erase(first, last);
  apart_.emplace(p, mine);
  covered_ += mine - inside;
  return true;
}

}  // namespace wigeon
