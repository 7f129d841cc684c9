// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/harness/memory_kernel.hh"

#include <algorithm>

#include "agent/base/digest.hh"

namespace wigeon {
namespace {

bool on_link(const Route& r) {
  return r.type == Route::Type::unicast && r.device == IfIndex::none;
}

ObservedPeer* find(ObservedDevice& d, const Key& key) {
  const auto at = std::ranges::find_if(
      d.peers, [&](const ObservedPeer& p) { return p.peer.public_key == key; });
  return at == d.peers.end() ? nullptr : &*at;
}

void insert_sorted(auto& list, auto value) {
  list.insert(std::ranges::upper_bound(list, value), std::move(value));
}

}  // namespace

Result<void> MemoryKernel::observe(const std::string& name, const Ownership& own,
                                   Parts parts, Observed& o) {
  observed.push_back(parts);
  const auto at = links.find(name);
  const FakeLink* l = at == links.end() ? nullptr : &at->second;
  if (parts.has(Part::link)) {
    const auto index = o.link ? o.link->index : IfIndex::none;
    o.link.reset();
    if (l) o.link = l->link;
    o.link_is_ours = l && ((!own.alias.empty() && l->link.alias == own.alias) ||
                           (own.creating && l->link.alias.empty() && !l->link.up));
    if (index != (l ? l->link.index : IfIndex::none))
      parts |= Part::device | Part::addresses | Part::routes;
  }
  if (!o.link_is_ours) l = nullptr;
  if (parts.has(Part::device))
    o.device = l ? known(l->device, std::chrono::system_clock::now()) : KnownDevice{};
  if (parts.has(Part::addresses)) {
    o.addresses = l ? l->addresses : std::vector<InterfaceAddress>{};
    std::ranges::sort(o.addresses);
  }
  if (parts.has(Part::routes)) {
    o.routes = routes;
    if (l) std::ranges::copy(l->routes, std::back_inserter(o.routes));
    std::ranges::sort(o.routes);
  }
  if (parts.has(Part::rules)) {
    o.rules = rules;
    std::ranges::sort(o.rules);
  }
  if (parts.has(Part::sysctls))
    for (auto& s : o.sysctls) {
      const auto value = sysctls.find(s.key);
      s.value.reset();
      if (value != sysctls.end()) s.value = value->second;
    }
  if (parts.has(Part::nft)) {
    o.nft.reset();
    if (!nft.empty()) o.nft = digest(nft);
  }
  return {};
}

Result<ObservedDevice> MemoryKernel::device(const Observed& o) {
  if (!o.link) return fail(ENODEV, "no link");
  return TRY(at(o.link->name))->device;
}

Result<HostView> MemoryKernel::view(const std::string&, const std::vector<Prefix>&) {
  return host;
}

Result<void> MemoryKernel::set_device(FakeLink& l, const DeviceChange& c) {
  ObservedDevice& d = l.device;
  if (c.private_key) {
    d.private_key = *c.private_key;
    d.public_key = c.private_key->public_key();
  }
  if (c.listen_port) d.listen_port = *c.listen_port;
  if (c.fwmark) d.fwmark = *c.fwmark;
  if (c.replace_peers) d.peers.clear();
  for (const auto& change : c.peers) {
    if (change.kind == PeerChange::Kind::remove) {
      std::erase_if(d.peers, [&](const ObservedPeer& p) {
        return p.peer.public_key == change.public_key;
      });
      continue;
    }
    ObservedPeer* p = find(d, change.public_key);
    if (!p) {
      if (change.kind == PeerChange::Kind::update) continue;
      const auto at = std::ranges::find_if(d.peers, [&](const ObservedPeer& q) {
        return change.public_key < q.peer.public_key;
      });
      p = &*d.peers.insert(at, ObservedPeer{.peer = {.public_key = change.public_key}});
    }
    if (change.preshared_key) p->peer.preshared_key = *change.preshared_key;
    if (change.endpoint) p->peer.endpoint = *change.endpoint;
    if (change.keepalive) p->peer.keepalive = *change.keepalive;
    if (!change.allowed_ips) continue;
    for (auto& other : d.peers)
      std::erase_if(other.peer.allowed_ips, [&](const Prefix& prefix) {
        return std::ranges::find(*change.allowed_ips, prefix) !=
               change.allowed_ips->end();
      });
    p->peer.allowed_ips = *change.allowed_ips;
    std::ranges::sort(p->peer.allowed_ips);
  }
  return {};
}

Result<MemoryKernel::FakeLink*> MemoryKernel::at(const std::string& name) {
  const auto found = links.find(name);
  if (found == links.end()) return fail(ENODEV, name + ": no such device");
  return &found->second;
}

Result<void> MemoryKernel::apply(const Op& op, const std::string& alias) {
  if (fault)
    if (auto r = fault(op); !r) return r;
  applied.push_back(op);
  return std::visit([&](const auto& o) { return perform(o, alias); }, op);
}

Result<void> MemoryKernel::perform(const op::LinkAdd& o, const std::string& alias) {
  if (links.contains(o.name)) return fail(EEXIST, "File exists");
  links[o.name].link = {.index = IfIndex{++last_index_},
                        .name = o.name,
                        .kind = o.kind,
                        .alias = alias,
                        .mtu = 1420};
  return {};
}

Result<void> MemoryKernel::perform(const op::LinkDel& o, const std::string&) {
  TRY(at(o.name));
  links.erase(o.name);
  return {};
}

Result<void> MemoryKernel::perform(const op::LinkMtu& o, const std::string&) {
  TRY(at(o.name))->link.mtu = o.mtu;
  return {};
}

Result<void> MemoryKernel::perform(const op::LinkUp& o, const std::string&) {
  TRY(at(o.name))->link.up = o.up;
  return {};
}

Result<void> MemoryKernel::perform(const op::SetDevice& o, const std::string&) {
  return set_device(*TRY(at(o.name)), o.change);
}

Result<void> MemoryKernel::perform(const op::AddressAdd& o, const std::string&) {
  TRY(at(o.link))->addresses.push_back(o.address);
  return {};
}

Result<void> MemoryKernel::perform(const op::AddressDel& o, const std::string&) {
  auto* l = TRY(at(o.link));
  const auto same_network = [&](const InterfaceAddress& a) {
    return a.network() == o.address.network();
  };
  const auto first = std::ranges::find_if(l->addresses, same_network);
  const bool primary =
      o.address.address.is_v4() && first != l->addresses.end() && *first == o.address;
  std::erase_if(l->addresses, [&](const InterfaceAddress& a) {
    return a == o.address || (primary && same_network(a));
  });
  const auto v4 = [](const InterfaceAddress& a) { return a.address.is_v4(); };
  if (std::ranges::none_of(l->addresses, v4))
    std::erase_if(l->routes,
                  [](const Route& r) { return r.destination.family() == Family::v4; });
  return {};
}

Result<void> MemoryKernel::perform(const op::RoutesAdd& o, const std::string&) {
  auto* l = TRY(at(o.link));
  for (const auto& r : o.routes) {
    if (on_link(r) && !l->link.up) return fail(ENETDOWN, "Network is down");
    insert_sorted(on_link(r) ? l->routes : routes, r);
  }
  return {};
}

Result<void> MemoryKernel::perform(const op::RoutesDel& o, const std::string&) {
  for (const auto& r : o.routes) {
    if (on_link(r))
      std::erase(TRY(at(o.link))->routes, r);
    else
      std::erase(routes, r);
  }
  return {};
}

Result<void> MemoryKernel::perform(const op::RuleAdd& o, const std::string&) {
  insert_sorted(rules, o.rule);
  return {};
}

Result<void> MemoryKernel::perform(const op::RuleDel& o, const std::string&) {
  std::erase(rules, o.rule);
  return {};
}

Result<void> MemoryKernel::perform(const op::SysctlSet& o, const std::string&) {
  const auto at = sysctls.find(o.sysctl.key);
  if (at == sysctls.end()) return fail(ENOENT, o.sysctl.key);
  at->second = o.sysctl.value;
  return {};
}

Result<void> MemoryKernel::perform(const op::SysctlRestore& o, const std::string&) {
  const auto at = sysctls.find(o.sysctl.key);
  if (o.write && at != sysctls.end() && at->second == o.sysctl.value)
    at->second = o.original;
  return {};
}

Result<void> MemoryKernel::perform(const op::NftSet& o, const std::string&) {
  nft = o.text;
  return {};
}

Result<void> MemoryKernel::perform(const op::NftDel&, const std::string&) {
  nft.clear();
  return {};
}

}  // namespace wigeon
