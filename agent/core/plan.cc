// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/plan.hh"

#include <algorithm>
#include <iterator>

#include "agent/base/digest.hh"
#include "agent/base/sysctl.hh"

namespace wigeon {
namespace {

template <class T>
std::vector<T> missing_from(const std::vector<T>& wanted, const std::vector<T>& have) {
  std::vector<T> out;
  std::ranges::set_difference(wanted, have, std::back_inserter(out));
  return out;
}

// Whether the wanted endpoint is to be written over the one the kernel has.
bool endpoint_differs(const Endpoint& wanted, const KnownPeer& have, bool steered) {
  const uint64_t digested = digest(std::optional(wanted));
  if (have.endpoint == digested) return false;
  if (have.endpoint == 0) return true;
  if (have.endpoint_set != 0 && have.endpoint_set != digested) return true;
  return !steered && !have.session;
}

PeerChange add_peer(const Peer& p) {
  PeerChange c{.public_key = p.public_key, .kind = PeerChange::Kind::add};
  if (!p.preshared_key.is_zero()) c.preshared_key = p.preshared_key;
  c.endpoint = p.endpoint;
  if (p.keepalive != 0) c.keepalive = p.keepalive;
  c.allowed_ips = p.allowed_ips;
  return c;
}

std::optional<PeerChange> update_peer(const Peer& wanted, const KnownPeer& have,
                                      bool steered) {
  PeerChange c{.public_key = wanted.public_key, .kind = PeerChange::Kind::update};
  const PeerChange unchanged = c;
  if (digest(wanted.preshared_key) != have.preshared_key)
    c.preshared_key = wanted.preshared_key;
  if (wanted.endpoint && endpoint_differs(*wanted.endpoint, have, steered))
    c.endpoint = wanted.endpoint;
  if (wanted.keepalive != have.keepalive) c.keepalive = wanted.keepalive;
  if (digest(wanted.allowed_ips) != have.allowed_ips) c.allowed_ips = wanted.allowed_ips;
  if (c == unchanged) return std::nullopt;
  return c;
}

std::vector<PeerChange> peer_changes(const Desired& desired,
                                     const std::vector<KnownPeer>& known) {
  std::vector<PeerChange> changes, removals;
  auto have = known.begin();
  const auto end = known.end();
  const auto steered = [&](const Key& key) {
    return std::ranges::binary_search(desired.steered, key);
  };
  for (const Peer& wanted : desired.peers) {
    for (; have != end && have->public_key < wanted.public_key; ++have)
      removals.push_back({have->public_key, PeerChange::Kind::remove});
    if (have != end && have->public_key == wanted.public_key) {
      if (auto c = update_peer(wanted, *have, steered(wanted.public_key)))
        changes.push_back(std::move(*c));
      ++have;
    } else {
      changes.push_back(add_peer(wanted));
    }
  }
  for (; have != end; ++have)
    removals.push_back({have->public_key, PeerChange::Kind::remove});
  std::ranges::move(removals, std::back_inserter(changes));
  return changes;
}

DeviceChange device_change(const Desired& desired, const KnownDevice& known) {
  DeviceChange c;
  if (desired.private_key != known.private_key) c.private_key = desired.private_key;
  if (desired.listen_port != known.listen_port) c.listen_port = desired.listen_port;
  if (desired.fwmark != known.fwmark) c.fwmark = desired.fwmark;
  c.peers = peer_changes(desired, known.peers);
  return c;
}

void plan_addresses(const Desired& desired, const std::vector<InterfaceAddress>& have,
                    std::vector<Op>& ops) {
  const auto stale = missing_from(have, desired.addresses);
  const auto fresh = missing_from(desired.addresses, have);
  // Removing a primary IPv4 address takes the secondaries of its network with it.
  const auto shares_network = [&](const InterfaceAddress& a) {
    return std::ranges::any_of(
        stale, [&](const InterfaceAddress& s) { return s.network() == a.network(); });
  };
  for (const auto& a : fresh)
    if (!shares_network(a)) ops.push_back(op::AddressAdd{desired.link, a});
  for (const auto& a : stale) ops.push_back(op::AddressDel{desired.link, a});
  for (const auto& a : fresh)
    if (shares_network(a)) ops.push_back(op::AddressAdd{desired.link, a});
}

// What a write of this value changes beside, and somebody has to put back.
std::vector<Sysctl> changed_along(const KnownSysctl& k, const std::string& value,
                                  const std::vector<Sysctl>& wanted,
                                  const Observed& observed) {
  std::vector<Sysctl> changed;
  for (const Sysctl& s : k.along) {
    const auto own = std::ranges::find(observed.sysctls, s.key, &KnownSysctl::key);
    const bool held = own != observed.sysctls.end() && own->original;
    if (s.value != value && !held &&
        std::ranges::find(wanted, s.key, &Sysctl::key) == wanted.end())
      changed.push_back(s);
  }
  return changed;
}

void plan_sysctls(const Desired& desired, const Observed& observed,
                  std::vector<Op>& ops) {
  std::vector<Sysctl> wanted = desired.sysctls;
  std::ranges::stable_sort(wanted, written_before, &Sysctl::key);
  std::vector<KnownSysctl> held;
  std::ranges::copy_if(observed.sysctls, std::back_inserter(held),
                       [](const KnownSysctl& k) { return k.original.has_value(); });
  std::ranges::stable_sort(held, written_before, &KnownSysctl::key);
  // In reverse: what was written last goes first.
  std::ranges::reverse(held);
  for (const KnownSysctl& k : held) {
    if (std::ranges::find(wanted, Sysctl{k.key, k.ours}) != wanted.end()) continue;
    const bool write = k.value && *k.value == k.ours;
    ops.push_back(op::SysctlRestore{
        {k.key, k.ours},
        *k.original,
        write,
        write ? changed_along(k, *k.original, wanted, observed) : std::vector<Sysctl>{}});
  }
  for (const Sysctl& s : wanted) {
    const auto k = std::ranges::find(observed.sysctls, s.key, &KnownSysctl::key);
    if (k == observed.sysctls.end() || k->value == s.value || !k->value) continue;
    ops.push_back(op::SysctlSet{s, k->original.value_or(*k->value),
                                changed_along(*k, s.value, wanted, observed)});
  }
}

void plan_nft(const Desired& desired, const Observed& observed, std::vector<Op>& ops) {
  if (desired.nft.empty()) {
    if (observed.nft) ops.push_back(op::NftDel{});
  } else if (!observed.nft || *observed.nft != digest(desired.nft)) {
    ops.push_back(op::NftSet{desired.nft});
  }
}

bool on_our_link(const Route& r) {
  return r.type == Route::Type::unicast && r.device == IfIndex::none;
}

void plan_up(const Desired& desired, const Observed& observed, std::vector<Op>& ops) {
  // Without an alias it is half-made: a crash came between making and naming it.
  const bool replace = observed.link && (observed.link->kind != desired.link_kind ||
                                         observed.link->alias.empty());
  const bool make = !observed.link || replace;
  if (replace) ops.push_back(op::LinkDel{desired.link});
  if (make) ops.push_back(op::LinkAdd{desired.link, desired.link_kind});
  plan_nft(desired, observed, ops);
  if (make || observed.link->mtu != desired.mtu)
    ops.push_back(op::LinkMtu{desired.link, desired.mtu});
  auto change = device_change(desired, make ? KnownDevice{} : observed.device);
  if (!change.empty()) ops.push_back(op::SetDevice{desired.link, std::move(change)});
  plan_addresses(desired, make ? std::vector<InterfaceAddress>{} : observed.addresses,
                 ops);
  plan_sysctls(desired, observed, ops);
  if (make || !observed.link->up) ops.push_back(op::LinkUp{desired.link, true});
  for (const auto& r : missing_from(desired.rules, observed.rules))
    ops.push_back(op::RuleAdd{r});
  // With the link went everything that was on it.
  auto have = observed.routes;
  if (make) std::erase_if(have, on_our_link);
  if (auto routes = missing_from(desired.routes, have); !routes.empty())
    ops.push_back(op::RoutesAdd{desired.link, std::move(routes)});
  if (auto routes = missing_from(have, desired.routes); !routes.empty())
    ops.push_back(op::RoutesDel{desired.link, std::move(routes)});
  for (const auto& r : missing_from(observed.rules, desired.rules))
    ops.push_back(op::RuleDel{r});
}

void plan_down(const Desired& desired, const Observed& observed, std::vector<Op>& ops) {
  for (const auto& r : observed.rules) ops.push_back(op::RuleDel{r});
  if (!observed.routes.empty())
    ops.push_back(op::RoutesDel{desired.link, observed.routes});
  plan_sysctls({}, observed, ops);
  if (observed.link && observed.link_is_ours) {
    if (!observed.device.peers.empty())
      ops.push_back(op::SetDevice{desired.link, DeviceChange{.replace_peers = true}});
    ops.push_back(op::LinkDel{desired.link});
  }
  plan_nft({}, observed, ops);
}

std::string join(const std::vector<Prefix>& prefixes) {
  std::string s;
  for (const auto& p : prefixes) s += (s.empty() ? "" : ",") + p.text();
  return s.empty() ? "\"\"" : s;
}

std::string peer_text(const PeerChange& c) {
  std::string s = "peer " + c.public_key.text();
  if (c.kind == PeerChange::Kind::remove) return s + " remove";
  if (c.kind == PeerChange::Kind::add) s += " add";
  if (c.preshared_key)
    s += c.preshared_key->is_zero() ? " preshared-key none" : " preshared-key (hidden)";
  if (c.endpoint) s += " endpoint " + c.endpoint->text();
  if (c.keepalive) s += " persistent-keepalive " + std::to_string(*c.keepalive);
  if (c.allowed_ips) s += " allowed-ips " + join(*c.allowed_ips);
  return s;
}

std::string device_text(const op::SetDevice& o) {
  const DeviceChange& c = o.change;
  std::string device;
  if (c.private_key) device += " private-key (hidden)";
  if (c.listen_port) device += " listen-port " + std::to_string(*c.listen_port);
  if (c.fwmark) device += " fwmark " + std::to_string(*c.fwmark);
  if (c.replace_peers) device += " replace-peers";
  std::string s;
  if (!device.empty()) s = "wg set " + o.name + device + "\n";
  for (const auto& p : c.peers) s += "wg set " + o.name + " " + peer_text(p) + "\n";
  return s;
}

struct Text {
  std::string operator()(const op::LinkAdd& o) const {
    return "link add " + o.name + " type " + o.kind + "\n";
  }
  std::string operator()(const op::LinkDel& o) const {
    return "link del " + o.name + "\n";
  }
  std::string operator()(const op::LinkMtu& o) const {
    return "link set " + o.name + " mtu " + std::to_string(o.mtu) + "\n";
  }
  std::string operator()(const op::LinkUp& o) const {
    return "link set " + o.name + (o.up ? " up\n" : " down\n");
  }
  std::string operator()(const op::SetDevice& o) const { return device_text(o); }
  std::string operator()(const op::AddressAdd& o) const {
    return "address add " + o.address.text() + " dev " + o.link + "\n";
  }
  std::string operator()(const op::AddressDel& o) const {
    return "address del " + o.address.text() + " dev " + o.link + "\n";
  }
  std::string operator()(const op::RoutesAdd& o) const {
    return lines("route add ", o.routes, o.link);
  }
  std::string operator()(const op::RoutesDel& o) const {
    return lines("route del ", o.routes, o.link);
  }
  std::string operator()(const op::RuleAdd& o) const {
    return "rule add " + wigeon::text(o.rule) + "\n";
  }
  std::string operator()(const op::RuleDel& o) const {
    return "rule del " + wigeon::text(o.rule) + "\n";
  }
  std::string operator()(const op::SysctlSet& o) const {
    return "sysctl " + o.sysctl.key + "=" + o.sysctl.value + "\n";
  }
  std::string operator()(const op::SysctlRestore& o) const {
    return "sysctl " + o.sysctl.key +
           (o.write ? "=" + o.original : std::string(" left as it is")) + "\n";
  }
  std::string operator()(const op::NftSet&) const { return "nft replace table\n"; }
  std::string operator()(const op::NftDel&) const { return "nft delete table\n"; }

 private:
  static std::string lines(const char* verb, const std::vector<Route>& routes,
                           const std::string& link) {
    std::string s;
    for (const auto& r : routes) s += verb + wigeon::text(r, link) + "\n";
    return s;
  }
};

std::string_view type_word(Route::Type t) {
  switch (t) {
    case Route::Type::unicast:
      return "";
    case Route::Type::local:
      return "local ";
    case Route::Type::blackhole:
      return "blackhole ";
    case Route::Type::unreachable:
      return "unreachable ";
    case Route::Type::prohibit:
      return "prohibit ";
    case Route::Type::throw_:
      return "throw ";
    case Route::Type::other:
      return "other ";
  }
  return "";
}

}  // namespace

Result<std::vector<Op>> plan(const Desired& desired, const Observed& observed) {
  std::vector<Op> ops;
  if (!desired.up) {
    plan_down(desired, observed, ops);
    return ops;
  }
  if (observed.link && !observed.link_is_ours)
    return fail(
        EEXIST,
        "a link of that name exists and is not ours (" +
            (observed.link->kind.empty() ? "hardware" : "kind " + observed.link->kind) +
            "); remove it or set interfaceName");
  plan_up(desired, observed, ops);
  return ops;
}

Desired nothing_on(const std::string& link) {
  Desired nothing;
  nothing.up = false;
  nothing.link = link;
  return nothing;
}

std::string text(const Route& r, const std::string& link) {
  std::string s(type_word(r.type));
  s += r.destination.text();
  if (r.gateway) s += " via " + r.gateway->text();
  if (r.device != IfIndex::none)
    s += " dev #" + std::to_string(static_cast<int>(r.device));
  else if (r.type == Route::Type::unicast)
    s += " dev " + link;
  if (r.table != RT_TABLE_MAIN) s += " table " + std::to_string(r.table);
  if (r.metric != 0) s += " metric " + std::to_string(r.metric);
  return s;
}

std::string text(const Rule& r) {
  std::string s =
      "pref " + std::to_string(r.priority) + (r.family == Family::v6 ? " inet6" : "");
  const auto ports = [&](const char* word, const std::optional<PortSpan>& p) {
    if (p) s += word + std::to_string(p->first) + "-" + std::to_string(p->last);
  };
  if (r.invert) s += " not";
  if (r.from) s += " from " + r.from->text();
  if (r.to) s += " to " + r.to->text();
  if (!r.input.empty()) s += " iif " + r.input;
  if (!r.output.empty()) s += " oif " + r.output;
  if (r.mark) s += " fwmark " + std::to_string(*r.mark);
  if (r.mark_mask) s += "/" + std::to_string(*r.mark_mask);
  if (r.ip_protocol != 0) s += " ipproto " + std::to_string(r.ip_protocol);
  ports(" sport ", r.source_ports);
  ports(" dport ", r.destination_ports);
  s += r.l3mdev ? " lookup l3mdev" : " lookup " + std::to_string(r.table);
  if (r.suppress_prefix_length)
    s += " suppress_prefixlength " + std::to_string(*r.suppress_prefix_length);
  return s;
}

std::string text(const Op& o) { return std::visit(Text{}, o); }

std::string text(const std::vector<Op>& ops) {
  std::string s;
  for (const auto& o : ops) s += text(o);
  return s;
}

}  // namespace wigeon
