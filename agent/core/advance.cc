// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/advance.hh"

#include <algorithm>
#include <iterator>

#include "agent/base/digest.hh"

namespace wigeon {
namespace {

void merge_in(auto& sorted, const auto& added) {
  auto fresh = added;
  std::ranges::sort(fresh);
  auto merged = std::remove_reference_t<decltype(sorted)>{};
  merged.reserve(sorted.size() + fresh.size());
  std::ranges::set_union(sorted, fresh, std::back_inserter(merged));
  sorted = std::move(merged);
}

void take_out(auto& sorted, const auto& removed) {
  auto gone = removed;
  std::ranges::sort(gone);
  std::erase_if(sorted,
                [&](const auto& v) { return std::ranges::binary_search(gone, v); });
}

void change_peer(KnownPeer& k, const PeerChange& c) {
  if (c.preshared_key) k.preshared_key = digest(*c.preshared_key);
  if (c.endpoint) k.endpoint = k.endpoint_set = digest(c.endpoint);
  if (c.keepalive) k.keepalive = *c.keepalive;
  if (c.allowed_ips) k.allowed_ips = digest(*c.allowed_ips);
}

KnownPeer* find(std::vector<KnownPeer>& peers, size_t sorted, const Key& key) {
  const auto end = peers.begin() + static_cast<std::ptrdiff_t>(sorted);
  const auto at =
      std::ranges::lower_bound(peers.begin(), end, key, {}, &KnownPeer::public_key);
  return at != end && at->public_key == key ? &*at : nullptr;
}

void change_device(KnownDevice& d, const DeviceChange& c) {
  if (c.private_key) d.private_key = *c.private_key;
  if (c.listen_port) d.listen_port = *c.listen_port;
  if (c.fwmark) d.fwmark = *c.fwmark;
  if (c.replace_peers) d.peers.clear();
  const size_t sorted = d.peers.size();
  std::vector<Key> removed;
  for (const auto& p : c.peers) {
    KnownPeer* have = find(d.peers, sorted, p.public_key);
    if (p.kind == PeerChange::Kind::remove) {
      removed.push_back(p.public_key);
    } else if (have) {
      change_peer(*have, p);
    } else if (p.kind == PeerChange::Kind::add) {
      d.peers.push_back({.public_key = p.public_key});
      change_peer(d.peers.back(), p);
    }
  }
  std::ranges::sort(removed);
  if (!removed.empty())
    std::erase_if(d.peers, [&](const KnownPeer& p) {
      return std::ranges::binary_search(removed, p.public_key);
    });
  if (d.peers.size() > sorted || !removed.empty())
    std::ranges::sort(d.peers, {}, &KnownPeer::public_key);
}

struct Advance {
  Observed& o;

  // The link's index, its MTU and its state are the kernel's to say.
  Parts operator()(const op::LinkAdd&) const { return Parts::all(); }
  Parts operator()(const op::LinkDel&) const { return Parts::all(); }
  Parts operator()(const op::LinkMtu&) const { return Part::link | Part::addresses; }
  Parts operator()(const op::LinkUp&) const {
    return Part::link | Part::addresses | Part::routes;
  }
  Parts operator()(const op::SetDevice& c) const {
    change_device(o.device, c.change);
    return {};
  }
  // The last address of a family takes routes along.
  Parts operator()(const op::AddressAdd&) const { return Part::addresses | Part::routes; }
  Parts operator()(const op::AddressDel&) const { return Part::addresses | Part::routes; }
  Parts operator()(const op::RoutesAdd& c) const {
    merge_in(o.routes, c.routes);
    return {};
  }
  Parts operator()(const op::RoutesDel& c) const {
    take_out(o.routes, c.routes);
    return {};
  }
  Parts operator()(const op::RuleAdd& c) const {
    merge_in(o.rules, std::vector{c.rule});
    return {};
  }
  Parts operator()(const op::RuleDel& c) const {
    take_out(o.rules, std::vector{c.rule});
    return {};
  }
  // Writing conf/all changes others.
  Parts operator()(const op::SysctlSet&) const { return Part::sysctls; }
  Parts operator()(const op::SysctlRestore&) const { return Part::sysctls; }
  Parts operator()(const op::NftSet& c) const {
    o.nft = digest(c.text);
    return {};
  }
  Parts operator()(const op::NftDel&) const {
    o.nft.reset();
    return {};
  }
};

}  // namespace

Parts advance(Observed& o, const Op& op) { return std::visit(Advance{o}, op); }

}  // namespace wigeon
