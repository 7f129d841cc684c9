// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/device.hh"

#include "netlink/link.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {

using namespace netlink;

Result<void> checked(const char* doing, int status) {
  if (status != 0) return fail_errno(doing, -status);
  return {};
}

Result<Raw> Raw::open() {
  Raw r;
  TRY(checked("raw socket", raw_open(r.get())));
  return r;
}

Result<Raw> Raw::open_route() {
  Raw r;
  TRY(checked("raw socket", raw_open_route(r.get())));
  return r;
}

Raw::~Raw() {
  if (raw_.fd >= 0) raw_close(&raw_);
}

Result<Device> Device::make(const std::string& name, Identity identity,
                            std::span<const raw_peer> peers) {
  auto routes = TRY(Socket::open(Protocol::route));
  const auto link = TRY(create_link(routes, name, "wireguard"));
  Device device(name, link.index);
  if (identity == Identity::set) {
    auto t = TRY(tunnel(link.index));
    TRY(t.set({.private_key = private_key()}));
  }
  if (!peers.empty()) {
    auto r = TRY(Raw::open());
    TRY(checked("peers", raw_set(r.get(), device.index(), peers.data(), peers.size(), 0,
                                 peers.size())));
  }
  return device;
}

Device::~Device() {
  if (link_ == IfIndex::none) return;
  if (auto t = tunnel(link_)) (void)t->set({.replace_peers = true});
  // Left behind, it ends with the namespace.
  if (auto s = Socket::open(Protocol::route)) (void)delete_link(*s, link_);
}

Result<IfIndex> link_named(const std::string& name) {
  auto s = TRY(Socket::open(Protocol::route));
  const auto link = TRY(find_link(s, name));
  if (!link) return fail(ENODEV, "no link " + name);
  return link->index;
}

Result<void> set_up(IfIndex link) {
  auto s = TRY(Socket::open(Protocol::route));
  return set_state(s, link, LinkState::up);
}

Result<KernelTunnel> tunnel(IfIndex link) {
  return KernelTunnel(TRY(WireGuard::open()), link);
}

}  // namespace wigeon::bench
