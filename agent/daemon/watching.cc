// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon hears, and when it looks by itself.
#include <sys/epoll.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "agent/base/log.hh"
#include "agent/base/marks.hh"
#include "agent/daemon/daemon.hh"
#include "agent/daemon/kernel_watch.hh"
#include "bpf/poll_interval.hh"

namespace wigeon {

using namespace std::chrono_literals;

namespace {

constexpr auto kSettle = 20ms;        // bursts of events become one reconcile
constexpr auto kHostSettle = 1000ms;  // the same for routes that are not ours
constexpr auto kTick = 30s;           // of what has no events
constexpr auto kSoonest = 100ms;      // between two looks at the peers
constexpr auto kSysctlLook = 800ms;   // at those of which the kernel does not tell

std::chrono::nanoseconds cpu_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);  // cannot fail for this clock
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

// Before anything is observed, so that no change in between goes unheard.
Result<void> Daemon::start_watching() {
  monitor_ = TRY(netlink::Monitor::open(
      loop_, [this](const netlink::Heard& heard) { on_kernel(heard); }));
  // Without nftables there is nothing to hear of it.
  if (auto nft = netlink::NftMonitor::open(
          loop_, [this](const netlink::NftHeard& heard) { on_nft(heard); });
      nft)
    nft_monitor_ = std::move(*nft);
  else
    log::debug("nftables: {}", nft.error().what);
  soon_ = TRY(loop_.timer([this] { reconcile(); }));
  look_soon_ = TRY(loop_.timer([this] { look(); }));
  sysctl_look_ = TRY(loop_.timer([this] { look_at_sysctls(); }));
  names_ = TRY(loop_.timer([this] { look_up_names(); }));
  tick_ = TRY(loop_.after(kTick, [this] { on_tick(); }));
  return {};
}

// The tunnel is new: so may be WireGuard's module.
void Daemon::watch_peers() {
  const auto index =
      engine_.observed().link ? engine_.observed().link->index : IfIndex::none;
  if (index == watched_link_) return;
  watched_link_ = index;
  if (index == IfIndex::none || !kernel_->kernel_tunnel()) return;
  const auto wireguard = netlink::WireGuard::open();
  const uint16_t family = wireguard ? wireguard->family() : uint16_t{0};
  if (peer_watch_) return peer_watch_->set_family(family);
  auto watch = PeerWatch::open(loop_, family, [this](const std::string& who) {
    if (!up_ || failures_ > 0) return;
    log::debug("the WireGuard device was changed by {}", who.empty() ? "somebody" : who);
    engine_.touched(Part::device);
    reconcile_soon(0ms);
  });
  if (watch)
    peer_watch_ = std::move(*watch);
  else
    log::info("changes of peers by others are looked for, not heard: {}",
              watch.error().what);
}

void Daemon::on_kernel(const netlink::Heard& heard) {
  const auto t = touched_by(heard, config_.interface_name, engine_.observed().link,
                            kernel_->port(), config_.routing.table);
  if (!t.any()) return;
  engine_.touched(t.ours);
  host_stale_ |= t.host_links && !heard.overrun;
  host_routes_stale_ |= t.host_routes;
  // Of a router's routes, mostly.
  if (heard.overrun) host_due_ = std::min(host_due_, host_due_lost_);
  // While it fails, the events are mostly of our own attempts, and the next one has its
  // time. Only a foreign link in our place is worth watching: that it went is not our
  // doing.
  const auto& link = engine_.observed().link;
  if (failures_ > 0) {
    if (t.name_free && link && !engine_.observed().link_is_ours) reconcile_soon(kSettle);
    return;
  }
  if (!t.ours.empty() || t.host_links) return reconcile_soon(kSettle);
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(host_due_ - Loop::now());
  reconcile_soon(std::max<std::chrono::milliseconds>(kHostSettle, rest));
}

void Daemon::on_nft(const netlink::NftHeard& heard) {
  const netlink::TouchedTable own{kNftFamily, kNftTable};
  const bool ours = heard.overrun || heard.tables.contains(own);
  const bool others = heard.overrun || heard.tables.size() > (ours ? 1u : 0u);
  if (ours) engine_.touched(Part::nft);
  if (others) foreign_.touched();
  if (failures_ > 0) return;
  if (ours)
    reconcile_soon(kSettle);
  else if (others && is_router())
    reconcile_soon(kHostSettle);
}

// Peers have no events of their own: sessions come and go unheard.
void Daemon::look() {
  if (!up_ || !maps_.current() || !engine_.observed().link_is_ours) return;
  const auto before = cpu_time();
  const auto seen = engine_.look();
  if (!seen) {
    look_failed(seen.error());
    return;
  }
  take_look(*seen);
  look_again(cpu_time() - before);
}

void Daemon::look_failed(const Error& error) {
  engine_.touched(Parts::all());
  look_failure_ = error.what;
  log::debug("looking at the peers: {}", error.what);
}

void Daemon::take_look(const Engine::Look& seen) {
  const auto now = std::chrono::system_clock::now();
  look_failure_.clear();
  history_.note(seen.device, now);
  const auto endpoints = endpoints_.look(seen.device, now);
  trial_ = endpoints.again;
  routes_.sample(seen.device);
  const bool rerouted = routes_.review(config_, *maps_.current(), maps_.accepted(),
                                       engine_.observed().device);
  if (endpoints.changed || rerouted) wish_changed();
  if ((seen.changed || endpoints.changed || rerouted) && failures_ == 0)
    reconcile_soon(0ms);
}

void Daemon::look_again(std::optional<std::chrono::nanoseconds> cost) {
  std::optional<std::chrono::milliseconds> wait;
  const auto within = [&](std::chrono::milliseconds t) {
    wait = std::min(wait.value_or(t), t);
  };
  if (!peer_watch_)
    within(bpf::poll_interval(engine_.observed().device.peers.size(), cost));
  if (routes_.wants_samples()) within(RouteKeeper::kSampleInterval);
  if (trial_) within(std::max<std::chrono::milliseconds>(*trial_, kSoonest));
  if (wait)
    (void)look_soon_.restart(*wait);  // the tick looks as well
  else
    (void)look_soon_.disarm();
}

// After each reconcile(), which may have written some.
void Daemon::watch_sysctls() {
  sysctl_watch_.hold(up_ ? engine_.observed().sysctls : std::vector<KnownSysctl>{});
  if (sysctl_watch_.empty())
    (void)sysctl_look_.disarm();
  else
    (void)sysctl_look_.restart(kSysctlLook);
}

void Daemon::look_at_sysctls() {
  (void)sysctl_look_.restart(kSysctlLook);
  if (!sysctl_watch_.changed()) return;
  engine_.touched(Part::sysctls);
  if (failures_ == 0) reconcile_soon(0ms);
}

void Daemon::on_tick() {
  look();
  // Of most of them something has told.
  engine_.touched(Part::sysctls);
  if (up_ && maps_.current() && original_servers() != original_servers_)
    host_stale_ = true;
  host_stale_ |= is_router();  // somebody may make a router of this host
  engine_.forgive();
  reconcile_soon(0ms);
  look_up_names();
  (void)tick_.restart(kTick);  // cannot fail for a timer that exists
}

void Daemon::look_up_names() {
  if (!up_ || !maps_.current() || lookup_) return;
  NamesWanted wanted;
  Resolved known;
  for (const auto& p : maps_.current()->remote_peers) {
    const auto places = p.endpoints();
    for (const auto& place : places) {
      const auto* name = std::get_if<HostPort>(&place);
      if (!name) continue;
      const auto* seen = history_.find(p.key);
      wanted[*name] |= !seen || seen->state != PeerState::connected;
      const auto at = resolved_.find(*name);
      if (at != resolved_.end()) known.insert(*at);
    }
  }
  resolved_ = std::move(known);  // names that no map has any more are forgotten
  auto due = names_due(asked_, wanted, std::chrono::system_clock::now());
  if (due.look)
    (void)names_.restart(std::max<std::chrono::milliseconds>(*due.look, kSoonest));
  if (!due.names.empty()) {
    auto lookup = Lookup::start(loop_, due.names,
                                [this](const Resolved& found) { on_names(found); });
    if (!lookup) return log::warning("resolving endpoints: {}", lookup.error().what);
    lookup_ = std::move(*lookup);
  }
  asked_ = std::move(due.asked);
}

void Daemon::on_names(const Resolved& found) {
  lookup_.reset();
  bool changed = false;
  for (const auto& [name, endpoints] : found) {
    auto& known = resolved_[name];
    changed |= known != endpoints;
    known = endpoints;
  }
  if (changed) {
    wish_changed();
    judge_again_ = true;
    reconcile_soon(0ms);
  }
  if (std::exchange(names_again_, false)) look_up_names();
}

}  // namespace wigeon
