// SPDX-License-Identifier: GPL-2.0-or-later
// The difference between what is wanted and what is there, as operations in a safe order.
//
// Up:   link (down) -> device key, port, mark, peers -> addresses -> link up -> rules,
// routes. Down: rules, routes -> peers cleared -> link removed. (Removing a link that
// still has peers
//       costs the kernel a grace period each, 20 ms a peer on SMP.)
// What is missing is added before what is stale is removed, except where the kernel would
// take the new with the old: IPv4 addresses of one network.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "agent/base/result.hh"
#include "agent/model/state.hh"

namespace wigeon {

namespace op {
struct LinkAdd {
  std::string name{}, kind{};
};
struct LinkDel {
  std::string name{};
};
struct LinkMtu {
  std::string name{};
  uint32_t mtu = 0;
};
struct LinkUp {
  std::string name{};
  bool up = true;
};
struct SetDevice {
  std::string name{};
  DeviceChange change{};
};
struct AddressAdd {
  std::string link{};
  InterfaceAddress address{};
};
struct AddressDel {
  std::string link{};
  InterfaceAddress address{};
};
// Unicast routes without a device go to `link`.
struct RoutesAdd {
  std::string link{};
  std::vector<Route> routes{};
};
struct RoutesDel {
  std::string link{};
  std::vector<Route> routes{};
};
struct RuleAdd {
  Rule rule{};
};
struct RuleDel {
  Rule rule{};
};
}  // namespace op

using Op = std::variant<op::LinkAdd, op::LinkDel, op::LinkMtu, op::LinkUp, op::SetDevice,
                        op::AddressAdd, op::AddressDel, op::RoutesAdd, op::RoutesDel,
                        op::RuleAdd, op::RuleDel>;

// Empty when nothing is to be done. EEXIST when a link of that name is not ours: it stays
// untouched. now decides whether a session is fresh: the endpoint of a peer with a
// handshake younger than kSessionLifetime is the kernel's (roaming), unless the map
// itself changed it.
Result<std::vector<Op>> plan(const Desired& desired, const Observed& observed,
                             std::chrono::system_clock::time_point now);

// Lines in ip(8)'s and wg(8)'s words, each ending in '\n'. Never a secret.
std::string text(const Op& op);
std::string text(const std::vector<Op>& ops);

std::string text(const Route& r, const std::string& link);
std::string text(const Rule& r);

}  // namespace wigeon
