// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/kernel_linux.hh"

#include <algorithm>
#include <set>

#include "agent/base/marks.hh"
#include "netlink/addr.hh"
#include "netlink/link.hh"
#include "netlink/route.hh"
#include "netlink/rule.hh"
#include "netlink/wireguard.hh"
#include "netlink/wireguard_go.hh"

namespace wigeon {
namespace {

Result<void> first_refusal(std::vector<netlink::Refusal> refusals,
                           const std::vector<Route>& routes, const std::string& link) {
  if (refusals.empty()) return {};
  return within(text(routes.at(refusals[0].index), link), std::move(refusals[0].error));
}

// As it stands in Desired: our own link is "none", and IPv6's default metric is 0.
Route normal(Route r, IfIndex ours) {
  if (r.type == Route::Type::unicast && r.device == ours) r.device = IfIndex::none;
  if (r.metric == netlink::stored_metric(r.destination.family(), 0)) r.metric = 0;
  return r;
}

}  // namespace

Result<std::unique_ptr<LinuxKernel>> LinuxKernel::open(TunnelKind choice,
                                                       uint32_t table) {
  auto socket = TRY(netlink::Socket::open(netlink::Protocol::route));
  const bool kernel =
      choice == TunnelKind::kernel ||
      (choice == TunnelKind::automatic && netlink::WireGuard::open().has_value());
  return std::unique_ptr<LinuxKernel>(new LinuxKernel(std::move(socket), kernel, table));
}

Result<Link> LinuxKernel::our_link(const std::string& name) {
  auto link = TRY(netlink::find_link(socket_, name));
  if (!link) return fail(ENODEV, "the link is gone");
  return std::move(*link);
}

Result<netlink::Tunnel*> LinuxKernel::tunnel(const Link& link) {
  if (tunnel_ && tunnel_link_ == link.index) return tunnel_.get();
  if (kernel_tunnel_)
    tunnel_ = std::make_unique<netlink::KernelTunnel>(TRY(netlink::WireGuard::open()),
                                                      link.index);
  else
    tunnel_ = std::make_unique<netlink::UserspaceTunnel>(
        netlink::wireguard_go::socket_path(link.name));
  tunnel_link_ = link.index;
  return tunnel_.get();
}

Result<Observed> LinuxKernel::observe(const std::string& name, const Ownership& own) {
  Observed o;
  o.link = TRY(netlink::find_link(socket_, name));
  IfIndex ours = IfIndex::none;
  if (o.link) {
    o.link_is_ours = (!own.alias.empty() && o.link->alias == own.alias) ||
                     (own.creating && o.link->alias.empty() && !o.link->up &&
                      (o.link->kind == "wireguard" || o.link->kind == "tun"));
  }
  if (o.link_is_ours) {
    ours = o.link->index;
    // A link of the other kind is replaced, not read.
    if (o.link->kind == link_kind()) {
      auto* t = TRY(tunnel(*o.link));
      o.device = TRY(t->get());
    }
    for (const auto& a : TRY(netlink::list_addresses(socket_, ours)))
      if (!a.address.address.is_link_local()) o.addresses.push_back(a.address);
  }
  for (const uint32_t table : std::set<uint32_t>{RT_TABLE_MAIN, table_})
    for (const auto& r : TRY(netlink::list_routes(socket_, table)))
      if (r.protocol == kRouteProtocol) o.routes.push_back(normal(r, ours));
  for (auto& r : TRY(netlink::list_rules(socket_)))
    if (r.protocol == kRouteProtocol) o.rules.push_back(std::move(r));
  std::ranges::sort(o.addresses);
  std::ranges::sort(o.routes);
  std::ranges::sort(o.rules);
  for (auto& p : o.device.peers) std::ranges::sort(p.peer.allowed_ips);
  std::ranges::sort(o.device.peers, {},
                    [](const ObservedPeer& p) { return p.peer.public_key; });
  return o;
}

Result<HostView> LinuxKernel::view(const std::string& name) {
  HostView v;
  IfIndex ours = IfIndex::none;
  for (auto& l : TRY(netlink::list_links(socket_))) {
    if (l.name == name)
      ours = l.index;
    else
      v.links.push_back(std::move(l));
  }
  for (const auto& a : TRY(netlink::list_addresses(socket_)))
    if (a.link != ours) v.addresses.push_back(a);
  for (const auto& r : TRY(netlink::list_routes(socket_, RT_TABLE_MAIN)))
    if (r.protocol != kRouteProtocol && (ours == IfIndex::none || r.device != ours))
      v.routes.push_back(r);
  return v;
}

Result<void> LinuxKernel::apply(const Op& op, const std::string& alias) {
  auto done = std::visit([&](const auto& o) { return perform(o, alias); }, op);
  if (done) return {};
  auto doing = text(op);
  // A change of many peers is a line each; the first says enough.
  doing.resize(std::min(doing.find('\n'), doing.size()));
  return within(doing, std::move(done).error());
}

Result<void> LinuxKernel::remove_link(const std::string& name) {
  const auto link = TRY(netlink::find_link(socket_, name));
  if (!link) return {};
  tunnel_.reset();
  if (link->kind == "tun") return netlink::wireguard_go::stop(name);
  return netlink::delete_link(socket_, link->index);
}

Result<void> LinuxKernel::perform(const op::LinkAdd& o, const std::string& alias) {
  // From an earlier crash: "making", without alias, so nobody's but ours. Made anew.
  auto made = kernel_tunnel_ ? [&]() -> Result<void> {
    auto link = netlink::create_link(socket_, o.name, "wireguard");
    if (link) return {};
    if (link.error().code == EOPNOTSUPP)
      link.error().what +=
          "; this kernel has no WireGuard (tunnel: auto takes wireguard-go)";
    return std::unexpected(std::move(link).error());
  }()
      : netlink::wireguard_go::start(o.name);
  TRY(std::move(made));
  auto named = [&]() -> Result<void> {
    return netlink::set_alias(socket_, TRY(our_link(o.name)).index, alias);
  }();
  if (!named) (void)remove_link(o.name);  // the first error is the one to tell
  return named;
}

Result<void> LinuxKernel::perform(const op::LinkDel& o, const std::string&) {
  return remove_link(o.name);
}

Result<void> LinuxKernel::perform(const op::LinkMtu& o, const std::string&) {
  return netlink::set_mtu(socket_, TRY(our_link(o.name)).index, o.mtu);
}

Result<void> LinuxKernel::perform(const op::LinkUp& o, const std::string&) {
  const auto link = TRY(our_link(o.name));
  auto set = netlink::set_state(socket_, link.index,
                                o.up ? netlink::LinkState::up : netlink::LinkState::down);
  if (set || set.error().code != EADDRINUSE) return set;
  // WireGuard binds its port when the link comes up, and the kernel does not name it.
  auto* t = TRY(tunnel(link));
  set.error().what +=
      ": UDP port " + std::to_string(TRY(t->get()).listen_port) + " is taken";
  return set;
}

Result<void> LinuxKernel::perform(const op::SetDevice& o, const std::string&) {
  const auto link = TRY(our_link(o.name));
  return TRY(tunnel(link))->set(o.change);
}

Result<void> LinuxKernel::perform(const op::AddressAdd& o, const std::string&) {
  return netlink::add_address(socket_, {TRY(our_link(o.link)).index, o.address});
}

Result<void> LinuxKernel::perform(const op::AddressDel& o, const std::string&) {
  return netlink::remove_address(socket_, {TRY(our_link(o.link)).index, o.address});
}

Result<void> LinuxKernel::change_routes(const std::string& link,
                                        const std::vector<Route>& routes,
                                        netlink::RouteChange::Kind kind) {
  // Routes that need no link of ours may be left when it has gone.
  IfIndex ours = IfIndex::none;
  std::vector<netlink::RouteChange> changes;
  changes.reserve(routes.size());
  for (Route r : routes) {
    if (r.type == Route::Type::unicast && r.device == IfIndex::none) {
      if (ours == IfIndex::none) ours = TRY(our_link(link)).index;
      r.device = ours;
    }
    changes.push_back({kind, r});
  }
  return first_refusal(TRY(netlink::change_routes(socket_, changes)), routes, link);
}

Result<void> LinuxKernel::perform(const op::RoutesAdd& o, const std::string&) {
  return change_routes(o.link, o.routes, netlink::RouteChange::Kind::add);
}

Result<void> LinuxKernel::perform(const op::RoutesDel& o, const std::string&) {
  return change_routes(o.link, o.routes, netlink::RouteChange::Kind::remove);
}

Result<void> LinuxKernel::perform(const op::RuleAdd& o, const std::string&) {
  return netlink::add_rule(socket_, o.rule);
}

Result<void> LinuxKernel::perform(const op::RuleDel& o, const std::string&) {
  return netlink::remove_rule(socket_, o.rule);
}

}  // namespace wigeon
