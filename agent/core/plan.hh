// SPDX-License-Identifier: GPL-2.0-or-later
// The difference between what is wanted and what is there, as operations in a safe order.
//
// Up:   link (down) -> nftables table -> device key, port, mark, peers -> addresses ->
//       sysctls -> link up -> rules, routes.
// Down: rules, routes -> sysctls -> peers cleared -> link removed -> nftables table.
//       (Removing a link that still has peers costs the kernel a grace period each, 20 ms
//       a peer on SMP.)
// What is missing is added before what is stale is removed, except where the kernel would
// take the new with the old: IPv4 addresses of one network.
#pragma once

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
// along: others that the kernel changes to the same value, as they were. They become ours
// to restore, which the next plan does.
struct SysctlSet {
  Sysctl sysctl{};
  std::string original{};  // to be put back
  std::vector<Sysctl> along{};
};
// Ends our hold on a sysctl. Not written when it is no longer as we wrote it.
struct SysctlRestore {
  Sysctl sysctl{};  // as we wrote it
  std::string original{};
  bool write = true;  // false: somebody has changed it since, or it is gone; so it stays
  std::vector<Sysctl> along{};
};
// Replaces our table by the text in one step.
struct NftSet {
  std::string text{};
};
struct NftDel {};
}  // namespace op

using Op = std::variant<op::LinkAdd, op::LinkDel, op::LinkMtu, op::LinkUp, op::SetDevice,
                        op::AddressAdd, op::AddressDel, op::RoutesAdd, op::RoutesDel,
                        op::RuleAdd, op::RuleDel, op::SysctlSet, op::SysctlRestore,
                        op::NftSet, op::NftDel>;

// Empty when nothing is to be done. EEXIST when a link of that name is not ours: it stays
// untouched. The endpoint of a peer with a session is the kernel's (roaming), unless what
// is wanted changed.
Result<std::vector<Op>> plan(const Desired& desired, const Observed& observed);

// What is wanted where nothing of ours shall be left.
Desired nothing_on(const std::string& link);

// Lines in ip(8)'s and wg(8)'s words, each ending in '\n'. Never a secret.
std::string text(const Op& op);
std::string text(const std::vector<Op>& ops);

std::string text(const Route& r, const std::string& link);
std::string text(const Rule& r);

}  // namespace wigeon
