// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/host_routes.hh"

#include <algorithm>

#include "agent/base/sort_unique.hh"

namespace wigeon {

HostRoutes::HostRoutes(std::vector<Prefix> served) : served_(std::move(served)) {
  sort_unique(served_);
  for (const auto& p : served_) lengths_.emplace(p.family(), p.bits());
}

void HostRoutes::offer(const Route& r) {
  if (cut_ || !is_new(r)) return;
  if (routes_.size() == kMaxHostRoutes)
    cut_ = true;
  else
    routes_.push_back(r);
}

// Whether those that are kept do not yet say what it says. Each question is asked, also
// when another is answered already: the sets follow. insert(), not emplace(), which makes
// a node for each of a million routes.
bool HostRoutes::is_new(const Route& r) {
  bool matters = r.destination.bits() == 0 || holds_served(r.destination);
  if (r.gateway) matters |= gateways_.insert(*r.gateway).second;
  if (r.protocol == RTPROT_RA) matters |= heard_.insert(r.device).second;
  if (r.type != Route::Type::unicast || r.device == IfIndex::none) return matters;
  matters |= links_.insert({r.destination.family(), r.device}).second;
  matters |= is_new_inside(r);
  return matters;
}

bool HostRoutes::holds_served(const Prefix& p) const {
  const auto at = std::ranges::lower_bound(served_, p);
  return at != served_.end() && p.contains(*at);
}

// A link that leads into a served network, once for each of both.
bool HostRoutes::is_new_inside(const Route& r) {
  bool fresh = false;
  for (const auto& [family, bits] : lengths_) {
    if (family != r.destination.family() || bits >= r.destination.bits()) continue;
    const auto network = *Prefix::make(r.destination.address(), bits);
    if (std::ranges::binary_search(served_, network))
      fresh |= inside_.insert({network, r.device}).second;
  }
  return fresh;
}

}  // namespace wigeon
