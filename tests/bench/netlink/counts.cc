// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/counts.hh"

#include <fmt/format.h>

#include <cstdio>

#include "tests/bench/netlink/device.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {
namespace {

using netlink::Socket;

constexpr uint32_t kMany = 10'000, kFew = 10;
// A header, the error, and the header of what was asked.
constexpr uint64_t kAckBytes = 16 + 4 + 16;
// Netlink and generic header, the link, the list of peers.
constexpr uint64_t kSetBytes = 16 + 4 + 8 + 4;
// Nest, key, flags, endpoint, keepalive, list of allowed IPs; one of IPv4 and one of
// IPv6.
constexpr uint64_t kPeerBytes = 4 + 36 + 8 + 20 + 8 + 4 + 28 + 40;
constexpr uint64_t kRemovedBytes = 4 + 36 + 8;
// Header, rtmsg, table, destination, device.
constexpr uint64_t kRouteBytes = 16 + 12 + 8 + 8 + 8;

class Checks {
 public:
  void equal(const std::string& sentence, uint64_t wanted, uint64_t got) {
    const bool good = wanted == got;
    std::printf("%s %d - %s: %llu\n", good ? "ok" : "not ok", ++count_, sentence.c_str(),
                static_cast<unsigned long long>(got));
    if (!good) std::printf("# wanted: %llu\n", static_cast<unsigned long long>(wanted));
    failed_ = failed_ || !good;
  }
  // Each send is answered by one acknowledgement.
  void spent(const std::string& what, const Socket::Counters& before,
             const Socket::Counters& after, uint64_t sends, uint64_t bytes) {
    equal(what + ", sends", sends, after.sends - before.sends);
    equal(what + ", receives", sends, after.receives - before.receives);
    equal(what + ", bytes sent", bytes, after.bytes_sent - before.bytes_sent);
    equal(what + ", bytes received", sends * kAckBytes,
          after.bytes_received - before.bytes_received);
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  int count_ = 0;
  bool failed_ = false;
};

Result<void> changed(Checks& checks, netlink::KernelTunnel& t, uint32_t n) {
  const auto p = change_of(peer(n / 2, 1234), PeerChange::Kind::update);
  const auto before = t.counters();
  TRY(t.set({.peers = {p}}));
  checks.spent(fmt::format("one of {} peers changed", n), before, t.counters(), 1,
               kSetBytes + kPeerBytes);
  return {};
}

Result<void> loaded(Checks& checks, netlink::KernelTunnel& t, uint32_t n, uint64_t sends,
                    uint64_t messages) {
  const auto all = peers(n);
  const auto change = change_of(all, PeerChange::Kind::add);
  const auto before = t.counters();
  TRY(t.set(change));
  checks.spent(fmt::format("{} peers with two allowed IPs each", n), before, t.counters(),
               sends, messages * kSetBytes + n * kPeerBytes);
  size_t ips = 0;
  const auto device = TRY(t.get());
  for (const auto& p : device.peers) ips += p.peer.allowed_ips.size();
  checks.equal("the kernel has all peers", n, device.peers.size());
  checks.equal("and all their allowed IPs", uint64_t{2} * n, ips);
  return {};
}

Result<void> half_removed(Checks& checks, netlink::KernelTunnel& t) {
  std::vector<raw_peer> half;
  for (uint32_t i = 0; i < kMany; i += 2) half.push_back(peer(i));
  const auto change = change_of(half, PeerChange::Kind::remove);
  const auto before = t.counters();
  TRY(t.set(change));
  checks.spent("half of them removed", before, t.counters(), 1,
               4 * kSetBytes + half.size() * kRemovedBytes);
  const auto device = TRY(t.get());
  checks.equal("the kernel has the rest", kMany - half.size(), device.peers.size());
  return {};
}

Result<void> routed(Checks& checks, const Device& device) {
  TRY(set_up(device.link()));
  auto s = TRY(Socket::open(netlink::Protocol::route));
  auto changes = changes_of(routes(kMany), device.link());
  const auto go = [&](const std::string& what, size_t listed) -> Result<void> {
    const auto before = s.counters();
    const auto refused = TRY(netlink::change_routes(s, changes));
    checks.spent(what, before, s.counters(), 10, kMany * kRouteBytes);
    checks.equal(what + ", refused", 0, refused.size());
    const auto table = TRY(netlink::list_routes(s, kTable));
    checks.equal(what + ", in the table", listed, table.size());
    return {};
  };
  TRY(go("10000 routes", kMany));
  TRY(go("the same routes again", kMany));
  for (auto& c : changes) c.kind = netlink::RouteChange::Kind::remove;
  return go("all of them removed", 0);
}

Result<void> check_all(Checks& checks) {
  const auto few = TRY(Device::make("few"));
  auto to_few = TRY(tunnel(few.link()));
  TRY(loaded(checks, to_few, kFew, 1, 1));
  TRY(changed(checks, to_few, kFew));

  const auto many = TRY(Device::make("many"));
  auto to_many = TRY(tunnel(many.link()));
  TRY(loaded(checks, to_many, kMany, 6, 23));
  TRY(changed(checks, to_many, kMany));
  TRY(half_removed(checks, to_many));
  return routed(checks, many);
}

}  // namespace

int check_counts() {
  Checks checks;
  const auto done = check_all(checks);
  if (!done) std::printf("not ok - %s\n", done.error().what.c_str());
  return done && !checks.failed() ? 0 : 1;
}

}  // namespace wigeon::bench
