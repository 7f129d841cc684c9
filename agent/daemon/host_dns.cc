// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/host_dns.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/base/log.hh"
#include "agent/core/reconcile.hh"

namespace wigeon {

using dns::os::ManagerKind;

std::optional<ManagerKind> asked_manager(DnsManager setting) {
  switch (setting) {
    case DnsManager::automatic:
      return std::nullopt;
    case DnsManager::systemd:
      return ManagerKind::systemd;
    case DnsManager::network_manager:
      return ManagerKind::network_manager;
    case DnsManager::resolvconf:
      return ManagerKind::resolvconf;
    case DnsManager::file:
      return ManagerKind::file;
    case DnsManager::none:
      return ManagerKind::none;
  }
  return std::nullopt;
}

HostDnsKeeper::HostDnsKeeper(Loop& loop, Parts parts, const Notes& left, Events events)
    : loop_(loop), parts_(std::move(parts)), events_(std::move(events)) {
  std::map<ManagerKind, Notes> sorted;
  for (const auto& note : left) {
    if (const auto kind = dns::os::kind_of_note(note))
      sorted[*kind].push_back(note);
    else
      log::warning("the journal has a DNS note that nobody understands: {}", note);
  }
  for (const auto& [kind, notes] : sorted) hold(kind, notes);
}

HostDnsKeeper::~HostDnsKeeper() = default;

HostDnsKeeper::Held& HostDnsKeeper::hold(ManagerKind kind, const Notes& left) {
  Held& held = held_[kind];
  if (held.manager) return held;
  held.kind = kind;
  held.notes = left;
  dns::os::HostManager::Events events;
  events.changing = [this, kind](const std::string& note) -> Result<void> {
    auto& notes = held_.at(kind).notes;
    if (std::ranges::count(notes, note) > 0) return {};
    TRY(events_.changing(note));
    notes.push_back(note);
    return {};
  };
  events.undone = [this, kind](const std::string& note) {
    std::erase(held_.at(kind).notes, note);
    events_.undone(note);
  };
  events.changed = [this] {
    act_soon();
    events_.changed();
  };
  held.manager = parts_.make(kind, left, std::move(events));
  return held;
}

const HostDnsKeeper::Held* HostDnsKeeper::current() const {
  if (!choice_) return nullptr;
  const auto at = held_.find(choice_->kind);
  return at == held_.end() ? nullptr : &at->second;
}

void HostDnsKeeper::choose(dns::os::Choice choice) {
  next_choice_.reset();
  if (choice_ == choice) return;
  if (choice_ && choice_->kind != choice.kind && choice_->kind != ManagerKind::none) {
    // A service that restarts is away for a moment, and comes back to what it was.
    auto later = loop_.after(kChoiceSettles, [this, choice]() mutable {
      next_choice_.reset();
      take(std::move(choice));
    });
    if (later) next_choice_ = std::move(*later);
    return;
  }
  take(std::move(choice));
}

void HostDnsKeeper::take(dns::os::Choice choice) {
  if (!choice_ || choice_->kind != choice.kind)
    log::info("the host's DNS: {} ({})", text(choice.kind), choice.reason);
  choice_ = std::move(choice);
  // Also when there is nothing to tell: the manager knows the original servers.
  if (choice_->kind != ManagerKind::none) hold(choice_->kind, {});
  act_soon();
  events_.changed();
}

void HostDnsKeeper::want(dns::os::HostDns wish) {
  if (wish_ == wish) return;
  const bool same_place = wish_ && wish_->servers == wish.servers;
  wish_ = std::move(wish);
  act_soon();
  if (same_place) return;
  // The resolver is only about to listen there: whoever starts it says when.
  probing_.reset();
  lost_ = 0;
  verdict_ = Verdict::unknown;
  if (auto next = loop_.after(kProbeAgain, [this] { probe(); }))
    next_probe_ = std::move(*next);
}

void HostDnsKeeper::withdraw() {
  wish_.reset();
  verdict_ = Verdict::unknown;
  lost_ = 0;
  probing_.reset();
  next_probe_.reset();
  act();
}

void HostDnsKeeper::act_soon() {
  if (acting_) return;
  auto acting = loop_.defer([this] {
    acting_.reset();
    act();
    if (settled()) events_.changed();
  });
  if (acting) acting_ = std::move(*acting);
}

// What is on the host because of this manager stays.
bool HostDnsKeeper::keeps(ManagerKind kind) const {
  if (!wish_) return false;
  if (!choice_) return true;
  return kind == choice_->kind && wants_something() && verdict_ != Verdict::bad;
}

void HostDnsKeeper::act() {
  acting_.reset();
  bool others_done = true;
  for (auto at = held_.begin(); at != held_.end();) {
    Held& held = at->second;
    if (!keeps(held.kind) && !held.withdrawing && (held.told || !held.notes.empty())) {
      held.withdrawing = true;
      held.told.reset();
      held.manager->withdraw();
    }
    const bool chosen = choice_ && choice_->kind == held.kind;
    const bool done = held.manager->settled();
    if (!chosen && choice_ && !done) others_done = false;
    if (!chosen && choice_ && done && held.notes.empty())
      at = held_.erase(at);
    else
      ++at;
  }
  if (!choice_ || choice_->kind == ManagerKind::none || !others_done) return;
  if (!wants_something() || verdict_ != Verdict::good) return;
  Held& held = hold(choice_->kind, {});
  if (held.told == wish_) return;
  held.told = wish_;
  held.withdrawing = false;
  held.manager->want(*wish_);
}

void HostDnsKeeper::probe_again() {
  lost_ = 0;
  if (verdict_ == Verdict::bad) verdict_ = Verdict::unknown;
  probe();
}

void HostDnsKeeper::probe() {
  probing_.reset();
  next_probe_.reset();
  if (!wants_something()) {
    verdict_ = Verdict::unknown;
    return act_soon();
  }
  std::vector<Endpoint> servers;
  for (const auto& a : wish_->servers) servers.push_back({a, 53});
  probing_ = parts_.probe(servers, [this](const std::string& why) { on_probe(why); });
}

void HostDnsKeeper::on_probe(const std::string& failure) {
  probing_.reset();
  probed_at_ = std::chrono::system_clock::now();
  std::chrono::milliseconds wait = kProbeEvery;
  if (failure.empty()) {
    if (verdict_ != Verdict::good) log::info("our resolver answers where the host asks");
    verdict_ = Verdict::good;
    lost_ = 0;
  } else {
    if (++lost_ == 1 || failure != probe_failure_)
      log::warning("our resolver was asked as the host asks: {}", failure);
    const bool was_good = verdict_ == Verdict::good;
    verdict_ = Verdict::bad;
    wait = was_good ? kProbeAgain : back_off(lost_);
  }
  probe_failure_ = failure;
  auto next = loop_.after(wait, [this] { probe(); });
  if (next) next_probe_ = std::move(*next);
  act_soon();
  events_.changed();
}

bool HostDnsKeeper::settled() const {
  const auto done = [](const auto& h) { return h.second.manager->settled(); };
  if (acting_ || !std::ranges::all_of(held_, done)) return false;
  return !wants_something() || (choice_ && verdict_ != Verdict::unknown);
}

bool HostDnsKeeper::withdrawn() const {
  const auto gone = [](const auto& h) {
    return h.second.notes.empty() && h.second.manager->settled();
  };
  return std::ranges::all_of(held_, gone);
}

std::optional<std::vector<Endpoint>> HostDnsKeeper::originals() const {
  const Held* held = current();
  if (!held) return std::nullopt;
  return held->manager->originals();
}

void HostDnsKeeper::fill(DnsStatus& status) const {
  if (!choice_) {
    status.manager_reason = "not known yet";
    return;
  }
  status.manager = text(choice_->kind);
  status.manager_reason = choice_->reason;
  status.probed_at = probed_at_;
  status.probe_failure = probe_failure_;
  const Held* held = current();
  if (held && held->told) {
    const auto is = held->manager->status();
    status.applied = is.applied;
    status.apply_failure = is.failure;
  } else if (choice_->kind == ManagerKind::none) {
    status.apply_failure = choice_->reason;
  } else if (!wants_something()) {
    status.apply_failure = "the map asks nothing of the host";
  } else {
    status.apply_failure = verdict_ == Verdict::unknown
                               ? "our resolver has not been asked yet"
                               : "our resolver does not answer where the host would ask";
  }
}

std::vector<Degraded> HostDnsKeeper::degraded() const {
  std::vector<Degraded> list;
  const auto say = [&](std::string reason) {
    list.push_back({"dns", std::move(reason), Severity::warning});
  };
  if (wants_something() && verdict_ == Verdict::bad)
    say("the host is not told about our resolver: " + probe_failure_);
  for (const auto& [kind, held] : held_) {
    const auto status = held.manager->status();
    if (!status.failure.empty()) say(fmt::format("{}: {}", text(kind), status.failure));
    for (const auto& note : status.notes) say(fmt::format("{}: {}", text(kind), note));
  }
  return list;
}

}  // namespace wigeon
