// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/reconcile.hh"

#include <algorithm>
#include <utility>

#include "agent/base/digest.hh"
#include "agent/base/doubled.hh"
#include "agent/base/log.hh"
#include "agent/core/advance.hh"
#include "agent/core/alias.hh"

namespace wigeon {
namespace {

// "wt0 wireguard wigeon:…": the alias of that link's entry.
std::string alias_of(const JournalEntry& e, const std::string& link) {
  if (!e.detail.starts_with(link + " ")) return {};
  return e.detail.substr(e.detail.rfind(' ') + 1);
}

uint64_t identity(const Op& op) {
  const auto* nft = std::get_if<op::NftSet>(&op);
  return digest(nft ? nft->text : text(op));
}

// A peer that is told where to go on: nobody took anything from us.
bool only_endpoints(const Op& op) {
  const auto* set = std::get_if<op::SetDevice>(&op);
  if (!set) return false;
  DeviceChange rest = set->change;
  std::erase_if(rest.peers, [](const PeerChange& p) {
    return p == PeerChange{.public_key = p.public_key,
                           .kind = PeerChange::Kind::update,
                           .endpoint = p.endpoint};
  });
  return rest.empty();
}

// Sessions and endpoints come and go by themselves.
bool same_settings(const KnownDevice& a, const KnownDevice& b) {
  const auto same_peer = [](const KnownPeer& p, const KnownPeer& q) {
    return p.public_key == q.public_key && p.preshared_key == q.preshared_key &&
           p.allowed_ips == q.allowed_ips && p.keepalive == q.keepalive;
  };
  return a.private_key == b.private_key && a.listen_port == b.listen_port &&
         a.fwmark == b.fwmark && std::ranges::equal(a.peers, b.peers, same_peer);
}

}  // namespace

std::chrono::milliseconds back_off(unsigned failures) {
  using namespace std::chrono_literals;
  const auto wait = doubled(250ms, failures == 0 ? 0 : failures - 1, 30s);
  return std::chrono::duration_cast<std::chrono::milliseconds>(wait);
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

// Keeps what only we know: the endpoints we set.
void Engine::remember_endpoints(KnownDevice& fresh) const {
  auto before = observed_.device.peers.begin();
  const auto end = observed_.device.peers.end();
  for (auto& p : fresh.peers) {
    while (before != end && before->public_key < p.public_key) ++before;
    if (before != end && before->public_key == p.public_key)
      p.endpoint_set = before->endpoint_set;
  }
}

Result<void> Engine::observe(const std::string& link) {
  if (link != link_) {
    link_ = link;
    observed_ = {.sysctls = std::move(observed_.sysctls)};
    stale_ = Parts::all();
  }
  if (stale_.empty()) return {};
  Observed fresh = observed_;
  TRY(kernel_.observe(link, ownership(link), std::exchange(stale_, {}), fresh));
  remember_endpoints(fresh.device);
  observed_ = std::move(fresh);
  return {};
}

Result<Engine::Look> Engine::look() {
  auto device = TRY(kernel_.device(observed_));
  auto fresh = known(device, std::chrono::system_clock::now());
  remember_endpoints(fresh);
  const bool changed = !same_settings(fresh, observed_.device);
  observed_.device = std::move(fresh);
  return Look{std::move(device), changed};
}

Result<void> Engine::refresh(const std::string& link) {
  name_sysctls({});
  stale_ = Parts::all();
  return observe(link);
}

// The sysctls to be looked at: those wanted and those we hold.
void Engine::name_sysctls(const Desired& desired) {
  std::vector<KnownSysctl> list;
  for (const auto& e : journal_.entries())
    if (auto s = journalled_sysctl(e)) list.push_back(std::move(*s));
  for (const auto& s : desired.sysctls)
    if (std::ranges::find(list, s.key, &KnownSysctl::key) == list.end())
      list.push_back({.key = s.key});
  const auto same = [](const KnownSysctl& a, const KnownSysctl& b) {
    return a.key == b.key && a.original == b.original && a.ours == b.ours;
  };
  if (std::ranges::equal(list, observed_.sysctls, same)) return;
  observed_.sysctls = std::move(list);
  stale_ |= Part::sysctls;
}

Result<void> Engine::perform(const Op& op) {
  std::string alias;
  if (const auto* add = std::get_if<op::LinkAdd>(&op)) {
    alias = ownership(add->name).alias;
    if (alias.empty()) alias = fresh_alias();
  } else if (const auto* del = std::get_if<op::LinkDel>(&op)) {
    alias = ownership(del->name).alias;
  }
  TRY(journal_.write(journal_before(op, alias)));
  TRY(kernel_.apply(op, alias));
  stale_ |= advance(observed_, op);
  return journal_.write(journal_after(op, alias));
}

// Whether the rest goes on without it.
bool Engine::refuse(const Op& op, const Error& error) {
  const bool optional = std::holds_alternative<op::SysctlSet>(op) ||
                        std::holds_alternative<op::SysctlRestore>(op) ||
                        std::holds_alternative<op::NftSet>(op) ||
                        std::holds_alternative<op::NftDel>(op);
  const bool taken = std::holds_alternative<op::RoutesAdd>(op) && error.code == EEXIST;
  if (!optional && !taken) return false;
  auto what = text(op);
  what.resize(std::min(what.find('\n'), what.size()));
  // Of many routes the error names the one.
  refused_[identity(op)] = {taken ? "route add" : std::move(what), error.what};
  return true;
}

std::vector<Engine::Refused> Engine::refused() const {
  std::vector<Refused> list;
  list.reserve(refused_.size());
  for (const auto& [id, refused] : refused_) list.push_back(refused);
  std::ranges::sort(list, {}, &Refused::what);
  return list;
}

Result<std::vector<Op>> Engine::next(const Desired& desired) const {
  auto ops = TRY(plan(desired, observed_));
  if (!refused_.empty())
    std::erase_if(ops, [&](const Op& op) { return refused_.contains(identity(op)); });
  return ops;
}

Result<Engine::Outcome> Engine::reconcile(const Desired& desired) {
  Outcome outcome;
  bool made_link = false;
  const bool first = std::ranges::none_of(journal_.entries(), is_engines);
  auto done = converge(desired, outcome, made_link);
  if (done) return outcome;
  stale_ = Parts::all();
  // What was there before stays, above all what keeps a full tunnel closed.
  if (made_link && first) roll_back(desired);
  return within(desired.link, std::move(done).error());
}

Result<void> Engine::converge(const Desired& desired, Outcome& outcome, bool& made_link) {
  std::vector<Op> ops;
  // A plan made from what was true some time ago may fail where a fresh one does not.
  bool fresh = stale_ == Parts::all();
  for (int round = 0; round <= kMaxRounds; ++round) {
    name_sysctls(desired);
    TRY(observe(desired.link));
    ops = TRY(next(desired));
    if (ops.empty()) {
      if (!desired.up && !observed_.link && refused_.empty()) TRY(forget());
      return {};
    }
    if (round == kMaxRounds) break;
    for (auto& op : ops) {
      if (auto done = perform(op); !done) {
        stale_ = Parts::all();  // how much of it was done is not known
        if (refuse(op, done.error())) continue;
        if (std::exchange(fresh, true)) return done;
        break;
      }
      made_link |= std::holds_alternative<op::LinkAdd>(op);
      ++outcome.operations;
      if (!only_endpoints(op)) ++outcome.repairs;
      outcome.done.push_back(std::move(op));
    }
  }
  const auto left = text(ops);
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
    Observed there;
    TRY(kernel_.observe(name, ownership(name), Part::link | Part::device, there));
    if (there.link_is_ours) {
      if (!there.device.peers.empty())
        TRY(perform(op::SetDevice{name, DeviceChange{.replace_peers = true}}));
      TRY(perform(op::LinkDel{name}));
      stale_ = Parts::all();
    }
    TRY(journal_.write(entries));
  }
  return {};
}

// Nothing of ours is on the host: what the journal still lists of it, somebody else
// removed. What is in others' firewalls is its owner's.
Result<void> Engine::forget() {
  std::vector<JournalChange> gone;
  for (const auto& e : journal_.entries())
    if (is_engines(e)) gone.push_back({false, e});
  return journal_.write(gone);
}

void Engine::roll_back(const Desired& desired) {
  const Desired nothing = nothing_on(desired.link);
  name_sysctls(nothing);
  if (auto seen = observe(desired.link); !seen) {
    log::warning("{}: taking back a half-made link: {}", desired.link, seen.error().what);
    stale_ = Parts::all();
    return;
  }
  const auto ops = plan(nothing, observed_);
  if (!ops) return;  // a plan for nothing cannot fail
  for (const auto& op : *ops)
    if (auto done = perform(op); !done)
      log::warning("{}: taking back a half-made link: {}", desired.link,
                   done.error().what);
  stale_ = Parts::all();
}

}  // namespace wigeon
