// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/kernel_linux.hh"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/base/marks.hh"
#include "agent/base/sysctl.hh"
#include "agent/core/others_routing.hh"
#include "agent/model/host_routes.hh"
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

// A setting that cannot be read is as if it were off.
bool is_on(const std::string& key) { return read_sysctl(key).value_or("0") != "0"; }

void view_ipv6(HostView& v) {
  const std::string conf = "net/ipv6/conf/";
  v.ipv6_stack = read_sysctl(conf + "all/disable_ipv6").has_value();
  v.ipv6 = v.ipv6_stack && !is_on(conf + "all/disable_ipv6") &&
           !is_on(conf + "default/disable_ipv6");
  v.force_forwarding = read_sysctl(conf + "default/force_forwarding").has_value();
  if (!v.ipv6) return;
  for (const auto& l : v.links)
    if (const auto text = read_sysctl(conf + l.name + "/accept_ra"))
      if (const auto n = parse_number(*text, 2))
        v.accept_ra.emplace(l.index, static_cast<uint8_t>(*n));
}

// None also where it cannot be read: then it is not ours to write.
std::optional<std::string> sysctl_now(const std::string& key) {
  auto value = read_sysctl(key);
  return value ? std::optional(std::move(*value)) : std::nullopt;
}

void observe_sysctl(KnownSysctl& s) {
  s.value = sysctl_now(s.key);
  s.along.clear();
  for (auto& key : written_along(s.key).value_or(std::vector<std::string>{}))
    if (auto value = sysctl_now(key))
      s.along.push_back({std::move(key), std::move(*value)});
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

Result<void> LinuxKernel::observe(const std::string& name, const Ownership& own,
                                  Parts parts, Observed& o) {
  if (parts.has(Part::link)) {
    const auto before = std::exchange(o.link, TRY(netlink::find_link(socket_, name)));
    const bool was_ours = o.link_is_ours;
    o.link_is_ours = o.link && ((!own.alias.empty() && o.link->alias == own.alias) ||
                                (own.creating && o.link->alias.empty() && !o.link->up &&
                                 (o.link->kind == "wireguard" || o.link->kind == "tun")));
    const auto index = [](const std::optional<Link>& l) {
      return l ? l->index : IfIndex::none;
    };
    if (o.link_is_ours != was_ours || index(before) != index(o.link))
      parts |= Part::device | Part::addresses | Part::routes;
  }
  if (parts.has(Part::device)) {
    o.device = {};
    // A link of the other kind is replaced, not read.
    if (o.link_is_ours && o.link->kind == link_kind())
      o.device = known(TRY(device(o)), std::chrono::system_clock::now());
  }
  if (parts.has(Part::addresses)) {
    o.addresses.clear();
    if (o.link_is_ours)
      for (const auto& a : TRY(netlink::list_addresses(socket_, o.link->index)))
        if (!a.address.address.is_link_local()) o.addresses.push_back(a.address);
    std::ranges::sort(o.addresses);
  }
  if (parts.has(Part::routes)) TRY(observe_routes(o));
  if (parts.has(Part::rules)) TRY(observe_rules(o));
  if (parts.has(Part::sysctls))
    for (auto& s : o.sysctls) observe_sysctl(s);
  if (parts.has(Part::nft)) o.nft = TRY(own_table_.observe());
  return {};
}

Result<ObservedDevice> LinuxKernel::device(const Observed& o) {
  if (!o.link || !o.link_is_ours) return fail(ENODEV, "there is no link of ours");
  return TRY(tunnel(*o.link))->get();
}

Result<void> LinuxKernel::observe_routes(Observed& o) {
  const IfIndex ours = o.link_is_ours ? o.link->index : IfIndex::none;
  std::vector<Route> routes;
  std::set<Prefix> connected;
  // The main table may be a router's: only what is ours is asked for.
  for (const uint32_t table : std::set<uint32_t>{RT_TABLE_MAIN, table_})
    for (const auto& r : TRY(netlink::list_routes(
             socket_, netlink::RouteFilter{.table = table, .protocol = kRouteProtocol})))
      routes.push_back(normal(r, ours));
  if (ours != IfIndex::none)
    for (const auto& r : TRY(netlink::list_routes(
             socket_, netlink::RouteFilter{.protocol = RTPROT_KERNEL, .device = ours})))
      connected.insert(r.destination);
  std::ranges::sort(routes);
  o.routes = std::move(routes);
  leave_out_unconnected(connected, o);
  return {};
}

// The kernel makes the route to an address's network, once. An address that has lost it
// is as good as gone, and is made anew.
void LinuxKernel::leave_out_unconnected(const std::set<Prefix>& connected, Observed& o) {
  unconnected_.clear();
  if (!o.link_is_ours || !o.link->up) return;
  std::erase_if(o.addresses, [&](const InterfaceAddress& a) {
    if (a.network().is_host() || connected.contains(a.network())) return false;
    unconnected_.push_back(a);
    return true;
  });
}

Result<void> LinuxKernel::observe_rules(Observed& o) {
  auto rules = TRY(netlink::list_rules(socket_));
  std::erase_if(rules, [](const Rule& r) { return r.protocol != kRouteProtocol; });
  std::ranges::sort(rules);
  o.rules = std::move(rules);
  return {};
}

Result<HostView> LinuxKernel::view(const std::string& name,
                                   const std::vector<Prefix>& served) {
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
  HostRoutes kept(served);
  TRY(netlink::scan_routes(socket_, {}, [&](const Route& r) {
    if (r.protocol != kRouteProtocol && (ours == IfIndex::none || r.device != ours))
      kept.offer(r);
  }));
  v.routes_cut = kept.cut();
  v.routes = std::move(kept).take();
  TRY(view_others_routing(socket_, table_, v));
  v.forwards_v4 = is_on("net/ipv4/conf/all/forwarding");
  v.forwards_v6 = is_on("net/ipv6/conf/all/forwarding");
  view_ipv6(v);
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
  const LinkAddress address{TRY(our_link(o.link)).index, o.address};
  if (std::ranges::find(unconnected_, o.address) != unconnected_.end())
    TRY(netlink::remove_address(socket_, address));
  return netlink::add_address(socket_, address);
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

Result<void> LinuxKernel::perform(const op::SysctlSet& o, const std::string&) {
  return write_sysctl(o.sysctl.key, o.sysctl.value);
}

Result<void> LinuxKernel::perform(const op::SysctlRestore& o, const std::string&) {
  // Nothing tells of sysctls: somebody may have written it since it was observed.
  if (!o.write || sysctl_now(o.sysctl.key) != o.sysctl.value) return {};
  auto done = write_sysctl(o.sysctl.key, o.original);
  // It went with its interface.
  if (!done && done.error().code == ENOENT) return {};
  return done;
}

Result<void> LinuxKernel::perform(const op::NftSet& o, const std::string&) {
  return own_table_.set(o.text);
}

Result<void> LinuxKernel::perform(const op::NftDel&, const std::string&) {
  return own_table_.remove();
}

}  // namespace wigeon
