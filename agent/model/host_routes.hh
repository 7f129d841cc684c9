// SPDX-License-Identifier: GPL-2.0-or-later
// Of the host's main table, which may hold a million routes, those that anything is
// decided by. The rest is not kept.
//
// What is asked of them: which gateways there are (validate_host), where default routes
// lead (full_tunnel), which links hear routers, and through which links a network that we
// serve is reached (forwarding): by the longest route that holds it and by all inside it.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "agent/base/network.hh"

namespace wigeon {

inline constexpr size_t kMaxHostRoutes = 4096;

class HostRoutes {
 public:
  // served: the networks that peers may reach through us.
  explicit HostRoutes(std::vector<Prefix> served = {});

  void offer(const Route& r);

  [[nodiscard]] std::vector<Route> take() && { return std::move(routes_); }
  // There were more than kMaxHostRoutes that matter.
  [[nodiscard]] bool cut() const { return cut_; }

 private:
  bool is_new(const Route& r);
  [[nodiscard]] bool holds_served(const Prefix& p) const;
  bool is_new_inside(const Route& r);

  std::vector<Prefix> served_;                  // sorted
  std::set<std::pair<Family, int>> lengths_{};  // theirs
  std::set<Address> gateways_{};
  std::set<std::pair<Family, IfIndex>> links_{};
  std::set<IfIndex> heard_{};  // links with a route from a router
  std::set<std::pair<Prefix, IfIndex>> inside_{};
  std::vector<Route> routes_{};
  bool cut_ = false;
};

}  // namespace wigeon
