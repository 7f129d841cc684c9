// SPDX-License-Identifier: GPL-2.0-or-later
// From what is wanted to what is there: decide, let the engine do it, and tell the
// others.
#include <malloc.h>

#include <algorithm>
#include <utility>

#include "agent/base/digest.hh"
#include "agent/base/log.hh"
#include "agent/daemon/daemon.hh"
#include "agent/daemon/notify.hh"
#include "agent/model/desired.hh"
#include "agent/model/nft_ruleset.hh"

namespace wigeon {

using namespace std::chrono_literals;

namespace {

// Between two looks at the host for routes that are not ours: a router changes its all
// the time, and may have a million of them.
constexpr std::chrono::microseconds kHostRest = 1s, kHostRestMost = 30s;
constexpr int kHostShare = 100;  // times what a look costs
constexpr int kLostShare = 10;   // the same when news were lost, links' perhaps

constexpr std::string_view kForwardsV6 = "net/ipv6/conf/all/forwarding";

// Tells whether the host's side of what is wanted is another than last time.
uint64_t fingerprint(const Desired& d) {
  std::string text = d.nft;
  for (const auto& r : d.rules) text += wigeon::text(r) + '\n';
  for (const auto& s : d.sysctls) text += s.key + '=' + s.value + '\n';
  // The host's networks may have taken some of them.
  text += fmt::format("{} {}", d.peers.size(), d.routes.size());
  return digest(text);
}

}  // namespace

void Daemon::reconcile_soon(std::chrono::milliseconds delay) {
  // Never later than it was promised already, or a stream of events would put it off for
  // ever.
  const auto due = Loop::now() + delay;
  if (due_ && *due_ <= due) return;
  // A timer that cannot be armed promises nothing: the next event tries again.
  if (soon_.restart(delay)) due_ = due;
}

void Daemon::reconcile() {
  due_.reset();
  (void)soon_.disarm();
  if (leaving_) return;
  // Against somebody who does it again and again.
  if (repairing_)
    if (const auto wait = repair_budget_.wait(Loop::now()); wait > 0us)
      return reconcile_soon(std::chrono::ceil<std::chrono::milliseconds>(wait));
  if (!up_ && !names_left()) return;
  leave_until_.reset();
  auto done = up_ ? reconcile_up() : reconcile_down();
  const bool was_applied = applied_;
  applied_ = done.has_value() && (!up_ || maps_.current());
  if (!done) {
    ++failures_;
    const auto wait = back_off(failures_);
    if (failures_ == 1 || done.error().what != failure_) {
      log::error("{}, trying again in {} ms", done.error().what, wait.count());
      event("ERROR", "NETWORK", done.error().what);
    }
    failure_ = done.error().what;
    reconcile_soon(wait);
  } else {
    failures_ = 0;
    failure_.clear();
  }
  if (applied_ && !was_applied && up_) applied_at_ = std::chrono::system_clock::now();
  notify::status(!failure_.empty() ? failure_
                 : !up_            ? "down"
                 : applied_
                     ? "serial " + std::to_string(maps_.current()->serial) + " in force"
                     : "waiting for a network map");
  watch_sysctls();
  answer_waiters();
}

void Daemon::count_repairs(const Engine::Outcome& outcome) {
  operations_ += outcome.operations;
  if (outcome.operations > 0 && log::level() >= log::Level::debug)
    log::debug("done:\n{}", text(outcome.done));
  if (!std::exchange(repairing_, true) || outcome.repairs == 0) return;
  repair_budget_.spend(Loop::now());
  repairs_ += outcome.repairs;
  last_repair_ = repair_text(outcome.repairs, text(outcome.done.front()));
  log::warning("put right what somebody else changed: {}", last_repair_);
  event("WARNING", "NETWORK", "put right what somebody else changed: " + last_repair_);
}

Result<void> Daemon::look_at_host() {
  const auto before = Loop::now();
  if (!host_stale_ && host_routes_stale_ && before < host_due_)
    reconcile_soon(std::chrono::ceil<std::chrono::milliseconds>(host_due_ - before));
  else
    host_stale_ |= host_routes_stale_;
  if (!host_stale_) return {};
  host_served_ = own_networks();
  host_ = TRY(kernel_->view(config_.interface_name, host_served_));
  const auto cost = Loop::now() - before;
  const auto in = [&](std::chrono::microseconds rest) {
    return before + cost + std::clamp(rest, kHostRest, kHostRestMost);
  };
  host_due_ = in(cost * kHostShare);
  host_due_lost_ = in(cost * kLostShare);
  host_routes_stale_ = false;
  log::debug("looked at the host: {} routes of others matter, {} us", host_.routes.size(),
             cost.count());
  // What we wrote says nothing of the host; the engine may not have looked yet.
  for (const auto& e : journal_.entries())
    if (const auto held = journalled_sysctl(e); held && held->key == kForwardsV6)
      host_.forwards_v6 = held->original != "0";
  original_servers_ = original_servers();
  host_.dns_servers.clear();
  for (const auto& e : original_servers_)
    if (!e.address.needs_scope()) host_.dns_servers.push_back(e.address);  // on its link
  host_stale_ = false;
  judge_again_ = true;
  return {};
}

Desired Daemon::wanted() {
  const auto& map = *maps_.current();
  routes_.choose(config_, map, maps_.accepted(), engine_.observed().device);
  Desired d = desired(config_, map, key_, preshared_, resolved_, maps_.accepted(), host_,
                      routes_.current());
  d.link_kind = kernel_->link_kind();
  add_tunnel_sysctls(d);
  endpoints_.steer(d);
  auto nft = nft_table(config_, map, key_.public_key(), maps_.accepted(),
                       d.rules.empty() ? FullTunnel::off : FullTunnel::on);
  keep_to_link(d.sysctls, host_, nft.table);
  d.nft = nft.table.empty() ? "" : ruleset(nft.table);
  nft_rules_ = rules_in(d.nft);
  forwarding_refused_ = std::move(nft.refusals);
  forwarded_ = std::move(nft.table.dnat);
  return d;
}

// Before the first choice of a start: what the one before us decided is in the kernel.
Result<void> Daemon::take_up() {
  if (std::exchange(taken_up_, true)) return {};
  TRY(engine_.refresh(config_.interface_name));
  if (!engine_.observed().link_is_ours) return {};
  const auto seen = engine_.look();
  if (!seen) return {};  // reconcile() will say what is wrong with it
  history_.note(seen->device, std::chrono::system_clock::now());
  routes_.adopt(*maps_.current(), seen->device);
  return {};
}

Result<void> Daemon::reconcile_up() {
  if (!maps_.current()) return {};
  TRY(take_up());
  TRY(engine_.remove_others(config_.interface_name));
  TRY(look_at_host());
  const bool is_new = std::exchange(map_is_new_, false);
  const bool judge = std::exchange(judge_again_, false);
  if (judge) {
    if (auto judged = maps_.judge(host_, resolved_, config_); !judged) {
      judge_again_ = true;
      return judged;
    }
  } else if (is_new) {
    maps_.confirm();
  }
  const bool other = judge || is_new;
  if (other) endpoints_.offer(*maps_.current(), maps_.accepted(), resolved_);
  const Desired d = wanted();
  if (const auto now = fingerprint(d); std::exchange(fingerprint_, now) != now)
    wish_changed();
  const auto outcome = TRY(engine_.reconcile(d));
  notes_ = d.notes;
  count_repairs(outcome);
  watch_peers();
  if (auto done = foreign_.want(is_router(), config_.interface_name, into_overlay());
      !done)
    notes_.push_back("rules in others' firewalls: " + done.error().what);
  firewalld_->want(is_router(), config_.interface_name);
  if (other || !applied_ || outcome.operations > 0) update_resolver();
  if (other || outcome.operations > 0) look_again({});
  if (other) ::malloc_trim(0);  // what deciding took
  return {};
}

Result<void> Daemon::reconcile_down() {
  redirect_->withdraw();
  resolver_->stop();
  TRY(engine_.remove_others(config_.interface_name));
  firewalld_->want(false, config_.interface_name);
  const auto taken_back =
      foreign_.want(false, config_.interface_name, IntoOverlay::nobody);
  foreign_left_ =
      taken_back ? "" : "rules in others' firewalls: " + taken_back.error().what;
  count_repairs(TRY(engine_.reconcile(nothing_on(config_.interface_name))));
  history_.clear();
  look_failure_.clear();
  routes_.clear();
  endpoints_.clear();
  asked_.clear();
  judge_again_ = true;
  return {};
}

bool Daemon::is_router() const {
  if (config_.routing.disable_server_routes || !up_ || !maps_.current()) return false;
  const auto& map = *maps_.current();
  return !served_networks(map, maps_.accepted(), key_.public_key()).empty() ||
         !forwarded_.empty();
}

IntoOverlay Daemon::into_overlay() const {
  return forwarded_.empty() ? IntoOverlay::nobody : IntoOverlay::others;
}

std::vector<Address> Daemon::own_addresses() const {
  std::vector<Address> own;
  if (!maps_.current()) return own;
  const auto& c = maps_.current()->peer_config;
  if (c.address) own.push_back(c.address->address);
  if (c.address_v6 && !config_.disable_ipv6 && host_.ipv6)
    own.push_back(c.address_v6->address);
  return own;
}

// Those that the map wants us to serve, whether or not it will be taken.
std::vector<Prefix> Daemon::own_networks() const {
  std::vector<Prefix> own;
  if (!maps_.current()) return own;
  for (const auto& r : maps_.current()->routes)
    if (r.network && r.peer == key_.public_key()) own.push_back(*r.network);
  return own;
}

// Before anything may call want(): what an earlier run left in firewalld is in the
// journal.
Result<void> Daemon::open_firewalld() {
  std::optional<ZoneNote> left;
  for (const auto& e : journal_.entries())
    if (e.kind == kZoneJournalKind) left = ZoneNote::parse(e.detail);
  bus_ = TRY(Bus::open(loop_));
  const auto adding = [this](const ZoneNote& n) {
    return journal_.write({{true, {kZoneJournalKind, n.text()}}});
  };
  const auto gone = [this](const ZoneNote& n) {
    if (auto w = journal_.write({{false, {kZoneJournalKind, n.text()}}}); !w)
      log::warning("{}", w.error().what);
  };
  const auto changed = [this, said = std::string()]() mutable {
    if (const auto& now = firewalld_->status().sentence; now != said) {
      if (!now.empty()) log::info("{}", now);
      said = now;
    }
    answer_waiters();
  };
  firewalld_.emplace(
      loop_, *bus_, std::move(left),
      Firewalld::Events{.adding = adding, .gone = gone, .changed = changed});
  return {};
}

}  // namespace wigeon
