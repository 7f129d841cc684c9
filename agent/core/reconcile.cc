// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/reconcile.hh"

#include <sys/random.h>

#include <algorithm>

#include "agent/base/log.hh"

namespace wigeon {
namespace {

// Removing the last IPv4 address takes the link's routes along, so one round may not be
// enough; more than a few means that somebody is fighting us.
constexpr int kMaxRounds = 4;

constexpr std::string_view kAliasPrefix = "wigeon:";

std::string fresh_alias() {
  uint64_t id = 0;
  (void)!::getrandom(&id, sizeof id,
                     0);  // eight bytes cannot be short; zero would do too
  return std::string(kAliasPrefix) + fmt::format("{:016x}", id);
}

// "wt0 wireguard wigeon:…": the alias of that link's entry.
std::string alias_of(const JournalEntry& e, const std::string& link) {
  if (!e.detail.starts_with(link + " ")) return {};
  return e.detail.substr(e.detail.rfind(' ') + 1);
}

}  // namespace

std::chrono::milliseconds back_off(unsigned failures) {
  const auto exponent = std::min(failures == 0 ? 0u : failures - 1, 7u);
  return std::min(std::chrono::milliseconds(250) * (1 << exponent),
                  std::chrono::milliseconds(30000));
}

Kernel::Ownership Engine::ownership(const std::string& link) const {
  Kernel::Ownership own;
  for (const auto& e : journal_.entries()) {
    if (e.kind != "link" && e.kind != "making") continue;
    if (auto alias = alias_of(e, link); !alias.empty())
      own = {std::move(alias), e.kind == "making" || own.creating};
  }
  return own;
}

Result<Observed> Engine::observe(const std::string& link) {
  auto observed = TRY(kernel_.observe(link, ownership(link)));
  observed.endpoints_set = endpoints_set_;
  return observed;
}

Result<void> Engine::refresh(const std::string& link) {
  observed_ = TRY(observe(link));
  return {};
}

void Engine::remember(const Op& op) {
  const auto* device = std::get_if<op::SetDevice>(&op);
  if (std::holds_alternative<op::LinkDel>(op) || (device && device->change.replace_peers))
    endpoints_set_.clear();
  if (!device) return;
  for (const auto& p : device->change.peers) {
    if (p.kind == PeerChange::Kind::remove)
      endpoints_set_.erase(p.public_key);
    else if (p.endpoint)
      endpoints_set_[p.public_key] = *p.endpoint;
  }
}

Result<void> Engine::perform(const Op& op) {
  std::string alias = ownership([&] {
                        const auto* add = std::get_if<op::LinkAdd>(&op);
                        const auto* del = std::get_if<op::LinkDel>(&op);
                        return add ? add->name : del ? del->name : std::string();
                      }())
                          .alias;
  if (std::holds_alternative<op::LinkAdd>(op) && alias.empty()) alias = fresh_alias();
  TRY(journal_.write(journal_before(op, alias)));
  TRY(kernel_.apply(op, alias));
  remember(op);
  return journal_.write(journal_after(op, alias));
}

Result<Engine::Outcome> Engine::reconcile(const Desired& desired) {
  Outcome outcome;
  bool made_link = false;
  auto done = converge(desired, outcome, made_link);
  if (done) return outcome;
  if (made_link) roll_back(desired);
  return within(desired.link, std::move(done).error());
}

Result<void> Engine::converge(const Desired& desired, Outcome& outcome, bool& made_link) {
  for (int round = 0; round < kMaxRounds; ++round) {
    observed_ = TRY(observe(desired.link));
    const auto ops = TRY(plan(desired, observed_, std::chrono::system_clock::now()));
    if (ops.empty()) {
      if (!desired.up && !observed_.link) TRY(forget());
      return {};
    }
    for (const auto& op : ops) {
      TRY(perform(op));
      made_link |= std::holds_alternative<op::LinkAdd>(op);
      ++outcome.operations;
      outcome.transcript += text(op);
    }
  }
  observed_ = TRY(observe(desired.link));
  const auto left = text(TRY(plan(desired, observed_, std::chrono::system_clock::now())));
  if (left.empty()) return {};
  return fail(EBUSY, "it does not stay as it is set, or somebody changes it: " +
                         left.substr(0, left.find('\n')));
}

Result<void> Engine::remove_others(const std::string& link) {
  std::map<std::string, std::vector<JournalChange>> others;
  for (const auto& e : journal_.entries())
    if (e.kind == "link" || e.kind == "making")
      if (auto name = e.detail.substr(0, e.detail.find(' ')); name != link)
        others[std::move(name)].push_back({false, e});
  for (const auto& [name, entries] : others) {
    const auto observed = TRY(observe(name));
    if (observed.link_is_ours) {
      if (!observed.device.peers.empty())
        TRY(perform(op::SetDevice{name, DeviceChange{.replace_peers = true}}));
      TRY(perform(op::LinkDel{name}));
    }
    TRY(journal_.write(entries));
  }
  return {};
}

// Nothing of ours is on the host: what the journal still lists, somebody else removed.
Result<void> Engine::forget() {
  std::vector<JournalChange> gone;
  for (const auto& e : journal_.entries()) gone.push_back({false, e});
  return journal_.write(gone);
}

void Engine::roll_back(const Desired& desired) {
  Desired nothing;
  nothing.link = desired.link;
  nothing.up = false;
  auto observed = observe(desired.link);
  if (!observed) {
    log::warning("{}: taking back a half-made link: {}", desired.link,
                 observed.error().what);
    return;
  }
  const auto ops = plan(nothing, *observed, std::chrono::system_clock::now());
  if (!ops) return;  // a plan for nothing cannot fail
  for (const auto& op : *ops)
    if (auto done = perform(op); !done)
      log::warning("{}: taking back a half-made link: {}", desired.link,
                   done.error().what);
  observed_ = {};
}

}  // namespace wigeon
