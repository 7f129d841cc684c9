// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/reconcile.hh"

#include <catch2/catch.hpp>
#include <memory>
#include <random>

#include "tests/harness/memory_kernel.hh"
#include "tests/harness/temp_dir.hh"
#include "tests/unit/core/make.hh"

using namespace wigeon;
using namespace wigeon::make;

namespace {

struct Crash {};  // thrown by a fault: the daemon is gone, kernel and journal stay

class Host {
 public:
  MemoryKernel kernel{};

  Host() { restart(); }
  void restart() {
    engine_.reset();
    journal_.reset();
    journal_ = std::make_unique<Journal>(Journal::open(dir_.path() + "/journal").value());
    engine_ = std::make_unique<Engine>(kernel, *journal_);
  }
  Engine& engine() { return *engine_; }
  [[nodiscard]] const Journal& journal() const { return *journal_; }

  // text() of what the kernel has, to compare whole states.
  std::string state() {
    Observed o;
    REQUIRE(kernel.observe("wt0", {alias(), true}, Parts::all(), o));
    const auto device = o.link ? kernel.device(o).value() : ObservedDevice{};
    std::string s = o.link ? o.link->kind + " mtu " + std::to_string(o.link->mtu) +
                                 (o.link->up ? " up" : " down") + "\n"
                           : "no link\n";
    for (const auto& p : device.peers) {
      s += p.peer.public_key.text();
      for (const auto& a : p.peer.allowed_ips) s += " " + a.text();
      s += "\n";
    }
    for (const auto& a : o.addresses) s += a.text() + "\n";
    for (const auto& r : o.routes) s += text(r, "wt0") + "\n";
    for (const auto& r : o.rules) s += text(r) + "\n";
    for (const auto& [key, value] : kernel.sysctls) s += key + "=" + value + "\n";
    return s + kernel.nft + "\n";
  }

 private:
  std::string alias() {
    const auto at = kernel.links.find("wt0");
    return at == kernel.links.end() ? "" : at->second.link.alias;
  }

  TempDir dir_{};
  std::unique_ptr<Journal> journal_{};
  std::unique_ptr<Engine> engine_{};
};

Desired down() {
  Desired d;
  d.up = false;
  return d;
}

// Prefixes are dealt to peers so that no two share one, as validation guarantees.
Desired random_desired(std::mt19937& rng) {
  const auto pick = [&](unsigned n) { return static_cast<uint8_t>(rng() % n); };
  Desired d = desired();
  d.addresses = {address("100.64.0." + std::to_string(1 + pick(3)) + "/16")};
  if (pick(2)) d.addresses.push_back(address("fd00::1/64"));
  std::vector<uint8_t> owner(12);
  for (auto& o : owner) o = pick(6);
  for (uint8_t n = 1; n < 6; ++n) {
    if (pick(3) == 0) continue;
    Peer p = peer(n, {});
    for (size_t i = 0; i < owner.size(); ++i)
      if (owner[i] == n)
        p.allowed_ips.push_back(prefix("10.0." + std::to_string(i) + ".0/24"));
    std::ranges::sort(p.allowed_ips);
    if (pick(2)) p.endpoint = endpoint("192.0.2." + std::to_string(pick(4)) + ":51820");
    for (const auto& a : p.allowed_ips)
      d.routes.push_back({.destination = a, .protocol = 89});
    d.peers.push_back(std::move(p));
  }
  if (pick(2))
    d.routes.push_back({.destination = prefix("100.64.0.0/10"),
                        .metric = 4278198272,
                        .type = Route::Type::unreachable,
                        .protocol = 89});
  if (pick(2)) d.rules.push_back({.priority = 105, .table = 7120, .protocol = 89});
  std::ranges::sort(d.routes);
  return d;
}

// Somebody else touches our things.
void damage(MemoryKernel& kernel, std::mt19937& rng) {
  if (!kernel.links.contains("wt0")) return;
  auto& l = kernel.links["wt0"];
  switch (rng() % 6) {
    case 0:
      kernel.links.erase("wt0");
      break;
    case 1:
      l.link.up = !l.link.up;
      break;
    case 2:
      l.addresses.clear();
      break;
    case 3:
      l.routes.clear();
      break;
    case 4:
      l.device.peers.clear();
      break;
    case 5:
      l.link.mtu = 9000;
      break;
  }
}

}  // namespace

TEST_CASE("the second reconcile of the same state does nothing") {
  Host h;
  const auto d = desired({peer(1, {"10.0.0.0/8"}, "192.0.2.1:51820")}, {"10.0.0.0/8"});
  CHECK(h.engine().reconcile(d)->operations > 0);
  CHECK(h.engine().reconcile(d)->operations == 0);
  h.restart();
  CHECK(h.engine().reconcile(d)->operations == 0);
}

TEST_CASE("down leaves nothing on the host and nothing in the journal") {
  Host h;
  std::mt19937 rng(7);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(h.engine().reconcile(random_desired(rng)));
    REQUIRE(h.engine().reconcile(down()));
    CHECK(h.kernel.links.empty());
    CHECK(h.kernel.routes.empty());
    CHECK(h.kernel.rules.empty());
    CHECK(h.journal().entries().empty());
  }
}

TEST_CASE("from any state, after any damage, the state equals a fresh one") {
  std::mt19937 rng(1);
  Host h;
  for (int i = 0; i < 300; ++i) {
    const auto d = random_desired(rng);
    REQUIRE(h.engine().reconcile(d));
    damage(h.kernel, rng);
    h.engine().touched(Parts::all());
    REQUIRE(h.engine().reconcile(d));
    Host fresh;
    REQUIRE(fresh.engine().reconcile(d));
    REQUIRE(h.state() == fresh.state());
    REQUIRE(h.engine().reconcile(d)->operations == 0);
  }
}

TEST_CASE("a crash between any two operations is finished by the next start") {
  std::mt19937 rng(2);
  for (int i = 0; i < 40; ++i) {
    const auto before = random_desired(rng), after = random_desired(rng);
    for (int n = 0;; ++n) {
      Host h;
      REQUIRE(h.engine().reconcile(before));
      int left = n;
      h.kernel.fault = [&](const Op&) -> Result<void> {
        if (left-- == 0) throw Crash{};
        return {};
      };
      bool crashed = false;
      try {
        if (!h.engine().reconcile(after)) throw std::runtime_error("reconcile failed");
      } catch (const Crash&) {
        crashed = true;
      }
      h.kernel.fault = {};
      h.restart();
      REQUIRE(h.engine().reconcile(after));
      Host fresh;
      REQUIRE(fresh.engine().reconcile(after));
      REQUIRE(h.state() == fresh.state());
      REQUIRE(h.engine().reconcile(down()));
      REQUIRE(h.kernel.links.empty());
      REQUIRE(h.journal().entries().empty());
      if (!crashed) break;
    }
  }
}

TEST_CASE("a first start that fails at any operation leaves the host as it was") {
  const auto d = desired({peer(1, {"10.0.0.0/8"})}, {"10.0.0.0/8"});
  for (int n = 0; n < 6; ++n) {
    Host h;
    int left = n;
    h.kernel.fault = [&](const Op& op) -> Result<void> {
      if (left-- == 0) return fail(EADDRINUSE, text(op) + "Address already in use");
      return {};
    };
    const auto r = h.engine().reconcile(d);
    REQUIRE_FALSE(r);
    CHECK(r.error().code == EADDRINUSE);
    CHECK(h.kernel.links.empty());
    h.kernel.fault = {};
    CHECK(h.engine().reconcile(d));
  }
}

TEST_CASE("a link just made that does not stay as it is set is taken away again") {
  Host h;
  // Somebody answers each MTU of ours by setting the link down, and each "up" by another
  // MTU.
  h.kernel.fault = [&](const Op& o) -> Result<void> {
    if (std::holds_alternative<op::LinkMtu>(o)) h.kernel.links["wt0"].link.up = false;
    if (std::holds_alternative<op::LinkUp>(o)) h.kernel.links["wt0"].link.mtu = 9000;
    return {};
  };
  const auto d = desired({peer(1, {"10.0.0.0/8"})}, {"10.0.0.0/8"});
  const auto r = h.engine().reconcile(d);
  REQUIRE_FALSE(r);
  CHECK(r.error().code == EBUSY);
  CHECK(r.error().what.find("link set wt0") != std::string::npos);
  CHECK(h.kernel.links.empty());
}

TEST_CASE("a failure on a working link takes nothing away") {
  Host h;
  const auto d = desired({peer(1, {"10.0.0.0/8"})}, {"10.0.0.0/8"});
  REQUIRE(h.engine().reconcile(d));
  const auto working = h.state();
  h.kernel.fault = [](const Op&) -> Result<void> { return fail(ENOMEM, "no memory"); };
  REQUIRE_FALSE(h.engine().reconcile(desired({peer(2, {"10.0.0.0/8"})}, {"10.0.0.0/8"})));
  h.kernel.fault = {};
  CHECK(h.state() == working);
}

TEST_CASE("a link of our name that we did not make is never touched") {
  Host h;
  h.kernel.links["wt0"].link = {.index = IfIndex{3},
                                .name = "wt0",
                                .kind = "wireguard",
                                .alias = "somebody's",
                                .mtu = 1420};
  CHECK(h.engine().reconcile(desired()).error().code == EEXIST);
  REQUIRE(h.engine().reconcile(down()));
  CHECK(h.kernel.applied.empty());
  // Not even one without an alias, when nothing says that we were making it.
  h.kernel.links["wt0"].link.alias.clear();
  CHECK(h.engine().reconcile(desired()).error().code == EEXIST);
  CHECK(h.kernel.applied.empty());
}

TEST_CASE(
    "a crash between making the link and naming it leaves it ours, and it is made anew") {
  Host h;
  h.kernel.fault = [](const Op& o) -> Result<void> {
    if (std::holds_alternative<op::LinkAdd>(o)) throw Crash{};
    return {};
  };
  CHECK_THROWS_AS((void)h.engine().reconcile(desired()), Crash);
  h.kernel.fault = {};
  h.kernel.links["wt0"].link = {
      .index = IfIndex{3}, .name = "wt0", .kind = "wireguard", .mtu = 1420};
  h.restart();
  const auto o = h.engine().reconcile(desired());
  REQUIRE(o);
  CHECK(text(o->done).starts_with("link del wt0\nlink add wt0 type wireguard\n"));
  CHECK(h.engine().reconcile(desired())->operations == 0);
}

TEST_CASE("a link of ours by the name it had before goes, and nobody else's does") {
  Host h;
  auto d = desired({peer(1, {"10.0.0.0/8"})}, {"10.0.0.0/8"});
  REQUIRE(h.engine().reconcile(d));
  h.kernel.links["wg0"].link = {.name = "wg0", .kind = "wireguard", .alias = "other"};
  h.restart();
  REQUIRE(h.engine().remove_others("wg1"));
  CHECK_FALSE(h.kernel.links.contains("wt0"));
  CHECK(h.kernel.links.contains("wg0"));
  CHECK(h.journal().entries().empty());
  d.link = "wg1";
  REQUIRE(h.engine().reconcile(d));
  REQUIRE(h.engine().remove_others("wg1"));
  CHECK(h.engine().reconcile(d)->operations == 0);
  // A stranger has taken the old name since.
  h.kernel.links["wg1"].link.alias = "somebody's";
  REQUIRE(h.engine().remove_others("wt0"));
  CHECK(h.kernel.links.contains("wg1"));
  CHECK(h.journal().entries().empty());
}

TEST_CASE("down forgets a link that somebody else removed") {
  Host h;
  REQUIRE(h.engine().reconcile(desired()));
  h.kernel.links.clear();
  REQUIRE(h.engine().reconcile(down()));
  CHECK(h.journal().entries().empty());
}

TEST_CASE("failures are retried ever more slowly, at most every 30 s") {
  CHECK(back_off(1) == std::chrono::milliseconds(250));
  CHECK(back_off(2) == std::chrono::milliseconds(500));
  CHECK(back_off(100) == std::chrono::seconds(30));
}

TEST_CASE("one changed peer costs one operation and no look at the kernel") {
  Host h;
  std::vector<Peer> peers;
  for (uint8_t n = 1; n < 200; ++n)
    peers.push_back(peer(n, {"10.0." + std::to_string(n) + ".0/24"}));
  auto d = desired(peers);
  REQUIRE(h.engine().reconcile(d));
  h.kernel.applied.clear();
  h.kernel.observed.clear();
  d.peers[77].keepalive = 7;
  const auto o = h.engine().reconcile(d);
  REQUIRE(o);
  CHECK(text(o->done) ==
        "wg set wt0 peer " + key(78).text() + " persistent-keepalive 7\n");
  CHECK(h.kernel.applied.size() == 1);
  CHECK(h.kernel.observed.empty());
  d.peers.erase(d.peers.begin() + 3);
  REQUIRE(h.engine().reconcile(d));
  CHECK(h.kernel.applied.size() == 2);
  CHECK(h.kernel.observed.empty());
  h.engine().touched(Parts::all());
  CHECK(h.engine().reconcile(d)->operations == 0);
}

TEST_CASE("only what was touched is looked at") {
  Host h;
  auto d = desired({peer(1, {"10.0.0.0/8"})}, {"10.0.0.0/8"});
  REQUIRE(h.engine().reconcile(d));
  h.kernel.links["wt0"].routes.clear();
  h.kernel.observed.clear();
  h.engine().touched(Part::routes);
  CHECK(text(h.engine().reconcile(d)->done) == "route add 10.0.0.0/8 dev wt0\n");
  CHECK(h.kernel.observed == std::vector<Parts>{Part::routes});
}

TEST_CASE("a sysctl or a table that cannot be had does not stop the tunnel") {
  Host h;
  auto d = desired({peer(1, {"10.0.0.0/8"})});
  d.sysctls = {{"net/x", "1"}};
  d.nft = "table";
  h.kernel.sysctls["net/x"] = "0";
  h.kernel.fault = [](const Op& op) -> Result<void> {
    if (std::holds_alternative<op::SysctlSet>(op)) return fail(EROFS, "read-only");
    if (std::holds_alternative<op::NftSet>(op)) return fail(EPERM, "not permitted");
    return {};
  };
  REQUIRE(h.engine().reconcile(d));
  CHECK(h.kernel.links["wt0"].link.up);
  REQUIRE(h.engine().refused().size() == 2);
  CHECK(h.engine().refused()[1].what == "sysctl net/x=1");
  CHECK(h.engine().refused()[1].why == "read-only");
  h.kernel.fault = {};
  CHECK(h.engine().reconcile(d)->operations == 0);
  h.engine().forgive();
  CHECK(h.engine().reconcile(d)->operations == 2);
  CHECK(h.engine().refused().empty());
}

TEST_CASE("a sysctl is put back after a crash, unless somebody wrote it since") {
  for (const bool touched : {false, true}) {
    Host h;
    auto d = desired();
    d.sysctls = {{"net/x", "1"}};
    h.kernel.sysctls["net/x"] = "0";
    REQUIRE(h.engine().reconcile(d));
    CHECK(h.kernel.sysctls["net/x"] == "1");
    h.restart();
    CHECK(h.engine().reconcile(d)->operations == 0);
    if (touched) h.kernel.sysctls["net/x"] = "2";
    REQUIRE(h.engine().reconcile(down()));
    CHECK(h.kernel.sysctls["net/x"] == (touched ? "2" : "0"));
    CHECK(h.journal().entries().empty());
  }
}

TEST_CASE("a look tells when somebody changed the device, and not of a session") {
  Host h;
  auto d = desired({peer(1, {"10.0.0.0/8"}, "192.0.2.1:51820")});
  REQUIRE(h.engine().reconcile(d));
  auto& p = h.kernel.links["wt0"].device.peers[0];
  p.peer.endpoint = endpoint("192.0.2.7:1");
  p.stats.last_handshake = std::chrono::system_clock::now();
  CHECK_FALSE(h.engine().look()->changed);
  CHECK(h.engine().reconcile(d)->operations == 0);
  p.peer.allowed_ips.clear();
  CHECK(h.engine().look()->changed);
  CHECK(text(h.engine().reconcile(d)->done) ==
        "wg set wt0 peer " + key(1).text() + " allowed-ips 10.0.0.0/8\n");
  CHECK_FALSE(h.engine().look()->changed);
}

TEST_CASE("a sysctl that the link itself will change is on record before it is up") {
  Host h;
  auto d = desired();
  d.sysctls = {{"net/x", "0"}};
  h.kernel.sysctls["net/x"] = "1";
  h.kernel.fault = [&](const Op& op) -> Result<void> {
    if (std::holds_alternative<op::LinkUp>(op)) h.kernel.sysctls["net/x"] = "0";
    return {};
  };
  REQUIRE(h.engine().reconcile(d));
  REQUIRE(h.engine().reconcile(down()));
  CHECK(h.kernel.sysctls["net/x"] == "1");
}
