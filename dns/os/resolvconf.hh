// SPDX-License-Identifier: GPL-2.0-or-later
// Hosts whose resolv.conf Debian's resolvconf or openresolv makes of records, one for
// each interface. We add two: our server in one that goes before other interfaces', our
// search domains in one that goes behind them.
//
//                server record   search record       why there
//   resolvconf   tun.wt0         zz.wt0              interface-order(5): tun*, …, *
//   openresolv   vpn.wt0         wt0.search, metric  dynamic_order, and the highest
//   metric
//
// A record called wt0 would be asked last by both, also with openresolv's metric 0, which
// goes behind all that have none. openresolv's -x is not used: an exclusive record keeps
// the other servers out, so a dead daemon would leave the host without any, also on the
// next network. Neither splits for libc; the others' servers follow ours, as in file
// mode.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/file_watch.hh"
#include "agent/base/loop.hh"
#include "dns/os/fights.hh"
#include "dns/os/manager.hh"
#include "dns/os/resolvconf_run.hh"

namespace wigeon::dns::os {

inline constexpr std::chrono::seconds kResolvconfLimit{5};

struct ResolvconfPaths {
  std::string program = "/sbin/resolvconf";
  std::string resolv_conf = "/etc/resolv.conf";
  std::string run = "/run/resolvconf";
};

class ResolvconfManager : public HostManager {
 public:
  // flavour: resolvconf or openresolv. left: notes of an earlier run.
  ResolvconfManager(Loop& loop, ManagerKind flavour, ResolvconfPaths paths,
                    const std::vector<std::string>& left, Events events);
  ~ResolvconfManager() override;

  void want(const HostDns& dns) override;
  void withdraw() override;
  [[nodiscard]] bool settled() const override { return !busy_; }
  [[nodiscard]] ManagerStatus status() const override { return status_; }
  [[nodiscard]] std::vector<Endpoint> originals() const override { return originals_; }

 private:
  struct Command {
    std::vector<std::string> arguments{};
    std::string input{};
  };
  void add_records(const HostDns& dns);
  void delete_records(const std::string& interface);
  [[nodiscard]] bool has_records(const std::string& interface) const;
  [[nodiscard]] std::string note_for(const std::string& interface) const;
  void look();
  void begin();
  void run_next();
  void end();
  // Of what was told; empty: nothing.
  [[nodiscard]] std::string what_is_wrong();
  void refresh_originals();
  void again_after(std::chrono::microseconds wait);
  void tell();
  [[nodiscard]] bool debian() const { return flavour_ == ManagerKind::resolvconf; }

  Loop& loop_;
  ManagerKind flavour_;
  ResolvconfPaths paths_;
  Events events_;
  std::vector<std::string> notes_;  // of what is on the host
  std::optional<HostDns> want_{};
  std::vector<Address> our_servers_{};  // all that were ever told: no originals
  std::optional<HostDns> told_{};       // what the records say
  bool withdrawing_ = false;
  bool held_ = false;  // was as wanted since it was told
  bool busy_ = false, again_soon_ = false;

  std::deque<Command> commands_{};
  std::chrono::milliseconds wait_;  // before the next try
  std::string failure_{};           // of the first command of a round that failed
  std::unique_ptr<ProgramRun> run_{};
  Fights fights_{};
  std::string refused_{};     // what was wrong when we gave up
  bool was_enabled_ = false;  // Debian's: updates were, before the directory was wiped
  ManagerStatus status_{};
  std::vector<Endpoint> originals_{};
  std::vector<FileWatch> files_{};
  Loop::Watch again_{}, next_{}, telling_{};
};

// Without a daemon: takes back what the note says, waiting for it. What the note is about
// being gone is fine.
Result<void> undo_resolvconf(const std::string& note, const ResolvconfPaths& paths = {});

}  // namespace wigeon::dns::os
