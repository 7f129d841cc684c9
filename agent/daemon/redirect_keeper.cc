// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/redirect_keeper.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/base/log.hh"

namespace wigeon {
namespace {

constexpr uint16_t kDnsPort = 53;

std::string summary_of(const std::vector<dns::os::ProbeResult>& results,
                       const std::vector<Endpoint>& servers) {
  std::vector<dns::os::ProbeResult> some;
  std::ranges::copy_if(results, std::back_inserter(some), [&](const auto& r) {
    return std::ranges::find(servers, r.server) != servers.end();
  });
  return summary(some);
}

}  // namespace

RedirectKeeper::RedirectKeeper(Loop& loop, Parts parts, const Notes& left, Events events)
    : loop_(loop), parts_(std::move(parts)), events_(std::move(events)) {
  for (const auto& note : left) {
    const auto rung = rung_of_note(note);
    // One that was made elsewhere (another folder for pins) is not taken over.
    if (rung && parts_.note(*rung) == note) {
      held_[*rung].noted = true;
    } else if (auto undone = parts_.undo(note); undone) {
      events_.undone(note);
    } else {
      log::warning("{}: {}", note, undone.error().what);
    }
  }
}

void RedirectKeeper::want(DnsRedirect setting, std::vector<Address> own) {
  const bool another_way = setting != setting_;
  if (!another_way && own == own_) return;
  own_ = std::move(own);
  if (another_way) {
    setting_ = setting;
    ladder_ = Ladder(rungs(setting));
    judged_ = false;
    climb_.reset();
    if (!rung()) leave_others();
    return;
  }
  const auto on = rung();
  if (on && led_ == on)
    if (auto led = lead(*on, {}); !led) refuse(led.error().what);
}

bool RedirectKeeper::withdraw() {
  setting_ = DnsRedirect::off;
  ladder_ = {};
  own_.clear();
  listening_.clear();
  led_.reset();
  probing_.reset();
  next_.reset();
  climb_.reset();
  defer_.reset();
  bool all = true;
  for (const auto r : kRungs)
    if (held_.contains(r)) all = remove(r) && all;
  return all;
}

std::optional<Rung> RedirectKeeper::rung() const { return ladder_.rung(); }

void RedirectKeeper::opened(Rung on, const dns::ListenerSockets& sockets) {
  if (on != rung()) return;
  listening_.clear();
  for (const auto& s : sockets)
    if (s.transport == dns::Transport::udp) listening_.push_back(s.endpoint);
  judged_ = false;
  led_.reset();
  if (auto led = lead(on, sockets); !led) return refuse(led.error().what);
  led_ = on;
  leave_others();
}

Result<void> RedirectKeeper::lead(Rung rung, const dns::ListenerSockets& sockets) {
  if (rung == Rung::bind) return {};
  Held& held = held_[rung];
  if (!held.noted) TRY(events_.changing(parts_.note(rung)));
  held.noted = true;
  if (!held.redirect) held.redirect = TRY(parts_.make(rung));
  TRY(held.redirect->lead(own_, sockets));
  held.draining = false;
  held.gone.reset();
  return {};
}

void RedirectKeeper::leave_others() {
  for (auto& [other, held] : held_) {
    if (other == rung() || held.draining) continue;
    held.draining = true;
    // What an earlier run left has no query of ours under way.
    const bool at_once = !held.redirect || !held.redirect->drain();
    auto gone = loop_.after(at_once ? std::chrono::seconds(0) : kRedirectDrain,
                            [this, r = other] { remove(r); });
    if (gone) held.gone = std::move(*gone);
  }
}

bool RedirectKeeper::remove(Rung rung) {
  Held& held = held_.at(rung);
  const auto note = parts_.note(rung);
  // The note alone says it all, and also finds what is left when removing failed before.
  auto removed = held.redirect ? held.redirect->remove() : parts_.undo(note);
  held.redirect.reset();
  if (!removed) {
    held.failure = removed.error().what;
    log::warning("dns.redirect {}: it could not be taken away: {}", text(rung),
                 held.failure);
    events_.changed();
    return false;
  }
  if (held.noted) events_.undone(note);
  held_.erase(rung);
  return true;
}

void RedirectKeeper::refuse(const std::string& why) {
  const auto on = rung();
  if (!on) return;
  log::warning("dns.redirect {}: {}", text(*on), why);
  if (held_.contains(*on)) remove(*on);
  ladder_.refused(why, Loop::now());
  go_to_another_rung();
}

// Deferred: whoever called us is in the middle of starting the resolver.
void RedirectKeeper::go_to_another_rung() {
  probing_.reset();
  if (const auto on = rung())
    log::info("dns.redirect: {} is tried", text(*on));
  else
    log::error("dns.redirect: {}", no_way());
  await_climb();
  auto deferred = loop_.defer([this] {
    defer_.reset();
    if (rung())
      again_in(kReadyLimit);  // unless ready() comes before
    else
      answer(no_way());
    events_.another_rung();
    events_.changed();
  });
  if (deferred) defer_ = std::move(*deferred);
}

void RedirectKeeper::await_climb() {
  climb_.reset();
  if (!ladder_.climb_at()) return;
  const auto wait = std::max(*ladder_.climb_at() - Loop::now(), Ladder::Time(0));
  auto climb = loop_.after(wait, [this] {
    ladder_.climb();
    go_to_another_rung();
  });
  if (climb) climb_ = std::move(*climb);
}

void RedirectKeeper::ready() {
  // Not those of a rung that was left meanwhile.
  if (!rung() || led_ != rung()) return;
  if (asked_.expired()) servers_.clear();
  probe();
}

std::shared_ptr<void> RedirectKeeper::ask(std::vector<Endpoint> servers, Asked done) {
  servers_ = std::move(servers);
  auto asked = std::make_shared<Asked>(std::move(done));
  asked_ = asked;
  again_in(std::chrono::milliseconds(0));
  return asked;
}

std::shared_ptr<void> RedirectKeeper::walk(Walked done) {
  std::vector<Endpoint> servers;
  for (const auto& a : own_) servers.push_back({a, kDnsPort});
  return parts_.probe(servers, std::move(done));
}

void RedirectKeeper::again_in(std::chrono::milliseconds wait) {
  auto next = loop_.after(wait, [this] { probe(); });
  if (next) next_ = std::move(*next);
}

void RedirectKeeper::probe() {
  next_.reset();
  if (!rung()) return answer(setting_ == DnsRedirect::off ? "" : no_way());
  if (servers_.empty())
    for (const auto& a : own_) servers_.push_back({a, kDnsPort});
  auto all = servers_;
  if (asks_both_) all.insert(all.end(), listening_.begin(), listening_.end());
  probing_ = parts_.probe(all, [this](const auto& results) { on_results(results); });
}

void RedirectKeeper::on_results(const std::vector<dns::os::ProbeResult>& results) {
  probing_.reset();
  const auto on = rung();
  const auto failure = summary_of(results, servers_);
  if (failure.empty()) {
    if (!ladder_.proved() && on)
      log::info("dns.redirect {}: our resolver answers at port 53", text(*on));
    ladder_.passed();
    asks_both_ = false;
    again_in(kAskEvery);
    return answer("");
  }
  const bool compared = std::exchange(asks_both_, true);
  const auto direct = compared ? summary_of(results, listening_) : std::string();
  if (failure != failure_)
    log::warning("our resolver was asked as the host asks: {}", failure);
  failure_ = failure;
  switch (ladder_.failed(failure, direct.empty(), Loop::now())) {
    case Ladder::Next::ask_again:
      // Somebody may have taken it away; that is put right before it is judged.
      if (on && led_ == on)
        if (auto led = lead(*on, {}); !led) return refuse(led.error().what);
      return again_in(kAskAgain);
    case Ladder::Next::another_rung:
      return go_to_another_rung();
    case Ladder::Next::give_up:
      if (!rung()) return go_to_another_rung();
      again_in(kAskEvery);
      answer(failure);
      if (!direct.empty()) events_.hangs(direct);
  }
}

void RedirectKeeper::answer(const std::string& failure) {
  failure_ = failure;
  judged_ = true;
  if (const auto asked = asked_.lock()) {
    asked_.reset();
    (*asked)(failure);
  }
  events_.changed();
}

std::string RedirectKeeper::no_way() const {
  std::string all = "nothing brings queries for port 53 to our resolver";
  for (const auto& f : ladder_.fallen())
    all += fmt::format("; {}: {}", text(f.rung), f.why);
  return all;
}

void RedirectKeeper::fill(DnsStatus& status) const {
  const auto on = rung();
  status.redirect = on ? text(*on) : "off";
  status.redirect_reason =
      setting_ == DnsRedirect::automatic ? "the first that works" : "asked for";
  if (on == Rung::xdp)
    status.redirect_reason +=
        "; generic XDP on lo slows the other local TCP of this host";
  if (!on && setting_ != DnsRedirect::off) status.redirect_reason = no_way();
  for (const auto& f : ladder_.fallen())
    status.redirect_refused.push_back({std::string(text(f.rung)), f.why});
  if (!on) return;
  const auto at = held_.find(*on);
  if (at == held_.end() || !at->second.redirect) return;
  auto about = at->second.redirect->about();
  if (!about) {
    status.redirect_attached = "cannot be read: " + about.error().what;
    return;
  }
  status.redirect_attached = std::move(about->attached);
  status.redirect_program = about->program_id;
  status.redirect_tag = std::move(about->tag);
  status.redirect_counters = std::move(about->counters);
}

std::vector<Degraded> RedirectKeeper::degraded() const {
  std::vector<Degraded> list;
  const auto say = [&](std::string reason) {
    list.push_back({"dns", std::move(reason), Severity::warning});
  };
  if (setting_ != DnsRedirect::off && !rung()) say(no_way());
  for (const auto& [r, held] : held_)
    if (!held.failure.empty())
      say(fmt::format("dns.redirect {} could not be taken away: {}", text(r),
                      held.failure));
  return list;
}

}  // namespace wigeon
