// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the host's own resolver told about ours: never before ours was seen to answer at
// the addresses the host is told, and no longer than it does.
//
//   unknown ─ a probe passed ─▶ good ─ one failed ─▶ bad ─ passed ─▶ good
//
// Each probe is several in a row, on every way there is to port 53 (redirect_keeper.hh).
//
// While good the host is told, while bad it is not; while unknown, what an earlier run
// told it stays. The manager is chosen again whenever the host changes; the old one is
// withdrawn first.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/loop.hh"
#include "agent/control/status.hh"
#include "agent/model/config.hh"
#include "dns/os/environment.hh"
#include "dns/os/manager.hh"
#include "dns/os/probe.hh"

namespace wigeon {

// "This note undoes what the host was told": for the journal, under this kind.
inline constexpr const char* kDnsJournalKind = "dns";

inline constexpr std::chrono::seconds kProbeEvery{60};
inline constexpr std::chrono::seconds kProbeAgain{1};  // after one that failed while told
inline constexpr std::chrono::seconds kChoiceSettles{5};

class HostDnsKeeper {
 public:
  using Notes = std::vector<std::string>;

  struct Events {
    // As HostManager's: durable before it is done, and gone again.
    std::move_only_function<Result<void>(const std::string& note)> changing{};
    std::move_only_function<void(const std::string& note)> undone{};
    // status(), settled() or originals() changed.
    std::move_only_function<void()> changed{};
  };
  // The effects, so that tests put others in their place.
  struct Parts {
    // left: notes of earlier runs that belong to this manager.
    std::function<std::unique_ptr<dns::os::HostManager>(
        dns::os::ManagerKind, const Notes& left, dns::os::HostManager::Events)>
        make{};
    // Calls done once, later. What it returns cancels it.
    using ProbeDone = std::move_only_function<void(const std::string& failure)>;
    std::function<std::shared_ptr<void>(const std::vector<Endpoint>&, ProbeDone)> probe{};
  };

  // left: the notes of an earlier run, whose changes may still be on the host.
  HostDnsKeeper(Loop& loop, Parts parts, const Notes& left, Events events);
  ~HostDnsKeeper();

  // Who manages the host's settings, now known or known to be another. Another than
  // before counts after kChoiceSettles.
  void choose(dns::os::Choice choice);
  // Idempotent: what the host shall be told. No domains and not all names: nothing. New
  // servers are asked at the next probe_again(), or after kProbeAgain.
  void want(dns::os::HostDns wish);
  // The resolver was started, or is reached in another way: ask before trusting it.
  void probe_again();
  // Nothing of ours shall be left.
  void withdraw();

  // What is wanted is there, or status() says why not.
  [[nodiscard]] bool settled() const;
  // Nothing of ours is on the host.
  [[nodiscard]] bool withdrawn() const;
  // The servers the host would ask without us; nothing while nobody knows them.
  [[nodiscard]] std::optional<std::vector<Endpoint>> originals() const;
  // Manager, its reason, and the last probe.
  void fill(DnsStatus& status) const;
  [[nodiscard]] std::vector<Degraded> degraded() const;

 private:
  struct Held {
    dns::os::ManagerKind kind{};
    Notes notes{};  // on the host because of it, as far as we know
    std::optional<dns::os::HostDns> told{};
    bool withdrawing = false;
    std::unique_ptr<dns::os::HostManager> manager{};
  };
  Held& hold(dns::os::ManagerKind kind, const Notes& left);
  void take(dns::os::Choice choice);
  void act();
  void act_soon();
  void probe();
  void on_probe(const std::string& failure);
  [[nodiscard]] const Held* current() const;
  [[nodiscard]] bool keeps(dns::os::ManagerKind kind) const;
  [[nodiscard]] bool wants_something() const {
    return wish_ && (wish_->all_names || !wish_->domains.empty()) &&
           !wish_->servers.empty();
  }

  Loop& loop_;
  Parts parts_;
  Events events_;
  std::optional<dns::os::Choice> choice_{};
  std::optional<dns::os::HostDns> wish_{};
  std::map<dns::os::ManagerKind, Held> held_{};

  enum class Verdict : uint8_t { unknown, good, bad };
  Verdict verdict_ = Verdict::unknown;
  unsigned lost_ = 0;  // probes failed in a row
  std::string probe_failure_{};
  WallTime probed_at_ = kNever;
  std::shared_ptr<void> probing_{};
  Loop::Watch next_probe_{}, acting_{}, next_choice_{};
};

std::optional<dns::os::ManagerKind> asked_manager(DnsManager setting);

}  // namespace wigeon
