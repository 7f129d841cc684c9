// SPDX-License-Identifier: GPL-2.0-or-later
// The Kernel seam over the Linux kernel of this network namespace: rtnetlink for links,
// addresses, routes and rules, and a Tunnel (generic netlink, or wireguard-go's socket)
// for peers.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/core/kernel.hh"
#include "agent/core/own_table.hh"
#include "agent/model/config.hh"
#include "netlink/route.hh"
#include "netlink/socket.hh"
#include "netlink/tunnel.hh"

namespace wigeon {

class LinuxKernel : public Kernel {
 public:
  // automatic: the kernel's WireGuard where it has one (its module is loaded by asking),
  // else wireguard-go. Whether either really works shows when the link is made.
  // table: the routing table that is ours besides the main one.
  static Result<std::unique_ptr<LinuxKernel>> open(TunnelKind choice, uint32_t table);

  [[nodiscard]] bool kernel_tunnel() const { return kernel_tunnel_; }
  // What Desired::link_kind has to be: "wireguard" or "tun".
  [[nodiscard]] std::string link_kind() const {
    return kernel_tunnel_ ? "wireguard" : "tun";
  }
  // Events that carry this port were caused by ourselves.
  [[nodiscard]] uint32_t port() const { return socket_.port(); }

  Result<void> observe(const std::string& link, const Ownership& own, Parts parts,
                       Observed& o) override;
  Result<ObservedDevice> device(const Observed& o) override;
  Result<HostView> view(const std::string& link,
                        const std::vector<Prefix>& served) override;
  Result<void> apply(const Op& op, const std::string& alias) override;

 private:
  LinuxKernel(netlink::Socket socket, bool kernel_tunnel, uint32_t table)
      : socket_(std::move(socket)), kernel_tunnel_(kernel_tunnel), table_(table) {}

  Result<void> observe_routes(Observed& o);
  void leave_out_unconnected(const std::set<Prefix>& connected, Observed& o);
  Result<void> observe_rules(Observed& o);
  Result<Link> our_link(const std::string& name);
  Result<netlink::Tunnel*> tunnel(const Link& link);
  Result<void> change_routes(const std::string& link, const std::vector<Route>& routes,
                             netlink::RouteChange::Kind kind);
  Result<void> remove_link(const std::string& name);

  Result<void> perform(const op::LinkAdd& o, const std::string& alias);
  Result<void> perform(const op::LinkDel& o, const std::string& alias);
  Result<void> perform(const op::LinkMtu& o, const std::string& alias);
  Result<void> perform(const op::LinkUp& o, const std::string& alias);
  Result<void> perform(const op::SetDevice& o, const std::string& alias);
  Result<void> perform(const op::AddressAdd& o, const std::string& alias);
  Result<void> perform(const op::AddressDel& o, const std::string& alias);
  Result<void> perform(const op::RoutesAdd& o, const std::string& alias);
  Result<void> perform(const op::RoutesDel& o, const std::string& alias);
  Result<void> perform(const op::RuleAdd& o, const std::string& alias);
  Result<void> perform(const op::RuleDel& o, const std::string& alias);
  Result<void> perform(const op::SysctlSet& o, const std::string& alias);
  Result<void> perform(const op::SysctlRestore& o, const std::string& alias);
  Result<void> perform(const op::NftSet& o, const std::string& alias);
  Result<void> perform(const op::NftDel& o, const std::string& alias);

  netlink::Socket socket_;
  bool kernel_tunnel_ = true;
  uint32_t table_;
  IfIndex tunnel_link_ = IfIndex::none;
  std::unique_ptr<netlink::Tunnel> tunnel_{};
  OwnTable own_table_{kNftTable};
  std::vector<InterfaceAddress> unconnected_{};  // on our link, without their route
};

}  // namespace wigeon
