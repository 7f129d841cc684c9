// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever the maps are and whatever others do to the host between two looks at it, the
// engine ends at the map, nothing foreign is changed, and going down leaves what is
// foreign and nothing else.
//
// SEED=N repeats one case, CASES=N tries so many.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <set>

#include "agent/base/marks.hh"
#include "agent/base/sort_unique.hh"
#include "agent/core/reconcile.hh"
#include "tests/harness/memory_kernel.hh"
#include "tests/harness/temp_dir.hh"
#include "tests/unit/core/make.hh"

using namespace wigeon;
using namespace wigeon::make;

namespace {

constexpr unsigned kCases = 400;
constexpr int kSteps = 5;     // maps and damages in a case
constexpr int kAttempts = 8;  // calls of reconcile() until it is right, failures included
constexpr uint8_t kForeign = RTPROT_STATIC;

using Random = std::mt19937;

unsigned pick(Random& rng, unsigned n) { return static_cast<unsigned>(rng() % n); }
bool maybe(Random& rng, unsigned one_in) { return pick(rng, one_in) == 0; }

// A host with other people's state on it, of which the engine may see nothing but what
// the Linux kernel shows it: by protocol.
class World : public MemoryKernel {
 public:
  Result<void> observe(const std::string& link, const Ownership& own, Parts parts,
                       Observed& o) override {
    TRY(MemoryKernel::observe(link, own, parts, o));
    const auto foreign = [](const auto& x) { return x.protocol != kRouteProtocol; };
    std::erase_if(o.routes, foreign);
    std::erase_if(o.rules, foreign);
    return {};
  }

  // Rules that bear our protocol and were made by somebody else: taken for ours when they
  // are as wanted, and not on record then.
  std::set<std::string> planted{};

  struct Foreign {
    std::map<std::string, std::string> links{};  // name and everything about it
    std::vector<Route> routes{};
    std::vector<Rule> rules{};
    bool operator==(const Foreign&) const = default;
  };
  // What is not ours; ours is the link of this name.
  [[nodiscard]] Foreign foreign(const std::string& ours) const {
    Foreign f;
    for (const auto& [name, l] : links) {
      if (name == ours) continue;
      std::string s = l.link.kind + l.link.alias + (l.link.up ? " up " : " down ") +
                      std::to_string(l.link.mtu);
      for (const auto& a : l.addresses) s += " " + a.text();
      f.links[name] = s;
    }
    const auto is_foreign = [](const auto& x) { return x.protocol != kRouteProtocol; };
    std::ranges::copy_if(routes, std::back_inserter(f.routes), is_foreign);
    std::ranges::copy_if(rules, std::back_inserter(f.rules), is_foreign);
    std::ranges::sort(f.routes);
    std::ranges::sort(f.rules);
    return f;
  }
  [[nodiscard]] size_t ours() const {
    const auto is_ours = [](const auto& x) { return x.protocol == kRouteProtocol; };
    return static_cast<size_t>(std::ranges::count_if(routes, is_ours) +
                               std::ranges::count_if(rules, is_ours));
  }
};

// The daemon as far as these tests need it. What the engine asks of its owner between an
// event and reconcile() belongs here and nowhere else.
class Agent {
 public:
  Agent(World& world, const std::string& directory)
      : world_(world), path_(directory + "/journal") {
    restart();
  }
  void restart() {
    engine_.reset();
    journal_.reset();
    journal_ = std::make_unique<Journal>(Journal::open(path_).value());
    engine_ = std::make_unique<Engine>(world_, *journal_);
  }
  // Somebody touched something, and netlink told of it.
  void heard() { engine_->touched(Parts::all()); }
  Result<Engine::Outcome> reconcile(const Desired& d) { return engine_->reconcile(d); }
  [[nodiscard]] const std::set<JournalEntry>& entries() const {
    return journal_->entries();
  }

 private:
  World& world_;
  std::string path_;
  std::unique_ptr<Journal> journal_{};
  std::unique_ptr<Engine> engine_{};
};

Rule random_rule(Random& rng, uint8_t protocol) {
  Rule r{.family = maybe(rng, 2) ? Family::v4 : Family::v6,
         .priority = 100 + pick(rng, 4) * 5,
         .table = maybe(rng, 2) ? kDefaultTable : uint32_t{RT_TABLE_MAIN},
         .protocol = protocol};
  if (maybe(rng, 2)) {
    r.mark = kDefaultMark;
    r.mark_mask = kDefaultMarkMask;
    r.invert = true;
  } else if (maybe(rng, 2)) {
    r.suppress_prefix_length = 0;
  }
  return r;
}

// Off any link, so that it outlives ours.
Route random_unreachable(Random& rng, uint8_t protocol) {
  return {.destination = maybe(rng, 2)
                             ? prefix("10." + std::to_string(pick(rng, 4)) + ".0.0/16")
                             : prefix("fd0" + std::to_string(pick(rng, 4)) + "::/16"),
          .table = maybe(rng, 2) ? kDefaultTable : uint32_t{RT_TABLE_MAIN},
          .metric = 1 + pick(rng, 3),
          .type = maybe(rng, 2) ? Route::Type::unreachable : Route::Type::throw_,
          .protocol = protocol};
}

// Prefixes are dealt to peers so that no two share one, as validation guarantees.
Desired random_map(Random& rng) {
  Desired d = desired();
  d.link_kind = maybe(rng, 8) ? "tun" : "wireguard";
  d.mtu = 1280 + pick(rng, 3) * 70;
  d.listen_port = static_cast<uint16_t>(51820 + pick(rng, 2));
  d.private_key = secret(static_cast<uint8_t>(1 + pick(rng, 2)));
  d.addresses.clear();
  if (!maybe(rng, 8))
    d.addresses.push_back(
        address("100.64.0." + std::to_string(1 + pick(rng, 3)) + "/16"));
  if (maybe(rng, 4)) d.addresses.push_back(address("100.64.7.1/16"));
  if (maybe(rng, 2)) d.addresses.push_back(address("fd00::1/64"));
  const bool v4 = std::ranges::any_of(
      d.addresses, [](const InterfaceAddress& a) { return a.address.is_v4(); });
  sort_unique(d.addresses);
  std::map<uint8_t, Peer> peers;
  for (unsigned i = 0; i < 10; ++i) {
    const auto n = static_cast<uint8_t>(pick(rng, 7));
    if (n == 0) continue;  // nobody's
    auto& p = peers.try_emplace(n, peer(n, {})).first->second;
    const bool six = maybe(rng, 3);
    const auto to = six ? prefix("fd01:" + std::to_string(i) + "::/32")
                        : prefix("10.0." + std::to_string(i) + ".0/24");
    p.allowed_ips.push_back(to);
    if (six || v4) d.routes.push_back({.destination = to, .protocol = kRouteProtocol});
  }
  for (auto& [n, p] : peers) {
    if (maybe(rng, 2)) p.endpoint = endpoint("192.0.2." + std::to_string(n) + ":51820");
    if (maybe(rng, 4)) p.keepalive = 0;
    if (maybe(rng, 4)) p.preshared_key = secret(n);
    sort_unique(p.allowed_ips);
    d.peers.push_back(std::move(p));
  }
  for (unsigned i = pick(rng, 3); i > 0; --i)
    d.routes.push_back(random_unreachable(rng, kRouteProtocol));
  for (unsigned i = pick(rng, 4); i > 0; --i)
    d.rules.push_back(random_rule(rng, kRouteProtocol));
  sort_unique(d.routes);
  sort_unique(d.rules);
  return d;
}

template <class T>
void lose_one(Random& rng, std::vector<T>& list, bool ours) {
  std::vector<size_t> at;
  for (size_t i = 0; i < list.size(); ++i)
    if ((list[i].protocol == kRouteProtocol) == ours) at.push_back(i);
  if (!at.empty())
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(
                                  at[pick(rng, static_cast<unsigned>(at.size()))]));
}

// Somebody works on his own things.
void live(World& w, Random& rng) {
  const std::string name = "eth" + std::to_string(pick(rng, 3));
  switch (pick(rng, 6)) {
    case 0:
      w.links[name].link = {.index = IfIndex{static_cast<int>(100 + pick(rng, 100))},
                            .name = name,
                            .kind = maybe(rng, 2) ? "wireguard" : "",
                            .alias = maybe(rng, 3) ? "wigeon:somebody-else" : "",
                            .mtu = 1500,
                            .up = maybe(rng, 2)};
      w.links[name].addresses = {address("192.0.2.7/24")};
      break;
    case 1:
      if (name != "wt0") w.links.erase(name);
      break;
    case 2:
      w.routes.push_back(random_unreachable(rng, kForeign));
      break;
    case 3:
      lose_one(rng, w.routes, false);
      break;
    case 4:
      w.rules.push_back(random_rule(rng, kForeign));
      break;
    case 5:
      lose_one(rng, w.rules, false);
      break;
  }
}

// Somebody touches our things.
void damage(World& w, Random& rng) {
  switch (pick(rng, 4)) {
    case 0:
      return lose_one(rng, w.routes, true);
    case 1:
      return lose_one(rng, w.rules, true);
    case 2:
      w.rules.push_back(random_rule(rng, kRouteProtocol));
      w.planted.insert(text(w.rules.back()));
      return;
    default:
      break;
  }
  const auto found = w.links.find("wt0");
  if (found == w.links.end()) return;
  auto& l = found->second;
  auto& peers = l.device.peers;
  switch (pick(rng, 10)) {
    case 0:
      w.links.erase(found);
      break;
    case 1:
      l.link.up = !l.link.up;
      break;
    case 2:
      l.link.mtu = 9000;
      break;
    case 3:
      if (!l.addresses.empty()) l.addresses.erase(l.addresses.begin());
      break;
    case 4:
      l.addresses.push_back(address("198.51.100.1/24"));
      break;
    case 5:
      lose_one(rng, l.routes, true);
      break;
    case 6:
      if (!peers.empty())
        peers.erase(peers.begin() + pick(rng, static_cast<unsigned>(peers.size())));
      break;
    case 7:
      if (!peers.empty()) peers[0].peer.allowed_ips = {prefix("203.0.113.0/24")};
      break;
    case 8:
      if (peers.empty() || key(200) != peers.back().peer.public_key)
        peers.push_back({.peer = peer(200, {"203.0.113.0/25"}, "192.0.2.200:1")});
      break;
    case 9:
      l.device.listen_port = 1;
      l.device.fwmark = 0;
      break;
  }
}

// The n-th operation from now fails, with whatever the kernel may say.
void fail_one(World& w, Random& rng) {
  auto left = std::make_shared<unsigned>(pick(rng, 12));
  const int code = std::array{EPERM, EBUSY, ENOMEM, EADDRINUSE}.at(pick(rng, 4));
  w.fault = [left, code](const Op&) -> Result<void> {
    if ((*left)-- == 0) return fail(code, "injected");
    return {};
  };
}

// "" or the first thing that is not as wanted.
std::string difference(World& w, const Agent& agent, const Desired& d) {
  const auto found = w.links.find(d.link);
  if (found == w.links.end()) return "no link";
  const auto& l = found->second;
  if (l.link.kind != d.link_kind || l.link.mtu != d.mtu || !l.link.up) return "the link";
  if (l.device.private_key != d.private_key || l.device.listen_port != d.listen_port ||
      l.device.fwmark != d.fwmark)
    return "the device";
  auto addresses = l.addresses;
  std::ranges::sort(addresses);
  if (addresses != d.addresses) return "addresses";
  if (l.device.peers.size() != d.peers.size()) return "number of peers";
  for (size_t i = 0; i < d.peers.size(); ++i) {
    auto have = l.device.peers[i].peer;
    // What no map names may stay as it was.
    if (!d.peers[i].endpoint) have.endpoint.reset();
    if (have != d.peers[i]) return "peer " + d.peers[i].public_key.text();
  }
  std::vector<Route> routes = l.routes;
  std::ranges::copy_if(w.routes, std::back_inserter(routes),
                       [](const Route& r) { return r.protocol == kRouteProtocol; });
  std::ranges::sort(routes);
  if (routes != d.routes) return "routes";
  std::vector<Rule> rules;
  std::ranges::copy_if(w.rules, std::back_inserter(rules),
                       [](const Rule& r) { return r.protocol == kRouteProtocol; });
  std::ranges::sort(rules);
  if (rules != d.rules) return "rules";
  // What would survive the link is on record, or a crash now would leave it for ever.
  for (const auto& r : d.routes)
    if (r.type != Route::Type::unicast &&
        !agent.entries().contains({"route", text(r, d.link)}))
      return "journal: " + text(r, d.link);
  for (const auto& r : d.rules)
    if (!w.planted.contains(text(r)) && !agent.entries().contains({"rule", text(r)}))
      return "journal: " + text(r);
  return "";
}

// Until it succeeds; one that fails may leave anything of ours, nothing of others'.
std::string converge(World& w, Agent& agent, const Desired& d) {
  std::string why;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto foreign = w.foreign(d.link);
    agent.heard();
    const auto done = agent.reconcile(d);
    if (w.foreign(d.link) != foreign) return "something foreign was changed";
    if (done) {
      why.clear();
      break;
    }
    why = done.error().what;
  }
  w.fault = {};
  return why;
}

// A case: its own host, maps, damage, failures and restarts. "" or what went wrong.
std::string run_case(unsigned seed, const std::string& directory) {
  Random rng(seed);
  World w;
  Agent agent(w, directory);
  for (unsigned i = pick(rng, 6); i > 0; --i) live(w, rng);
  Desired d;
  for (int step = 0; step < kSteps; ++step) {
    if (step == 0 || maybe(rng, 2)) d = random_map(rng);
    for (unsigned i = pick(rng, 4); i > 0; --i) damage(w, rng);
    for (unsigned i = pick(rng, 3); i > 0; --i) live(w, rng);
    if (maybe(rng, 4)) agent.restart();
    if (maybe(rng, 3)) fail_one(w, rng);
    if (auto why = converge(w, agent, d); !why.empty()) return "up: " + why;
    if (auto why = difference(w, agent, d); !why.empty()) return "differs: " + why;
    w.applied.clear();
    if (!agent.reconcile(d) || !w.applied.empty()) return "it does not rest";
  }
  for (unsigned i = pick(rng, 3); i > 0; --i) damage(w, rng);
  if (maybe(rng, 4)) agent.restart();
  if (maybe(rng, 3)) fail_one(w, rng);
  const Desired nothing = nothing_on("wt0");
  if (auto why = converge(w, agent, nothing); !why.empty()) return "down: " + why;
  if (w.links.contains("wt0")) return "down: the link is left";
  if (w.ours() != 0) return "down: something of ours is left";
  if (!agent.entries().empty())
    return "down: the journal still has " + agent.entries().begin()->detail;
  return "";
}

// A journal syncs at every step: in memory, thousands of cases take no time.
std::string fast_directory(const TempDir& otherwise) {
  std::string path = "/dev/shm/wigeon-test-XXXXXX";
  return ::mkdtemp(path.data()) ? path : otherwise.path();
}

std::optional<unsigned> number(const char* variable) {
  const char* text = std::getenv(variable);
  const auto n = parse_number(text ? text : "", UINT32_MAX);
  return n ? std::optional(static_cast<unsigned>(*n)) : std::nullopt;
}

}  // namespace

TEST_CASE("the engine converges whatever happens, and leaves only what is foreign") {
  const TempDir slow;
  const std::string directory = fast_directory(slow);
  const auto given = number("SEED"), wanted = number("CASES");
  const unsigned first = given.value_or(std::random_device{}());
  const unsigned cases = wanted.value_or(given ? 1 : kCases);
  std::string failure;
  for (unsigned i = 0; i < cases && failure.empty(); ++i) {
    const unsigned seed = first + i;
    std::error_code ignored;
    std::filesystem::remove(directory + "/journal", ignored);
    failure = run_case(seed, directory);
    if (!failure.empty()) failure += "; SEED=" + std::to_string(seed);
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  INFO("from SEED=" << first);
  CHECK(failure == "");
}
