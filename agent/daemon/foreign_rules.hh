// SPDX-License-Identifier: GPL-2.0-or-later
// Our rules in Docker's DOCKER-USER chains while this host forwards for peers: put there,
// put there again when Docker makes its chains anew, and taken back.
#pragma once

#include <string>
#include <vector>

#include "agent/core/journal.hh"
#include "agent/model/foreign_firewall.hh"
#include "netlink/nftables.hh"

namespace wigeon {

class ForeignRules {
 public:
  explicit ForeignRules(Journal& journal) : journal_(journal) {}

  // Idempotent, and free while nothing changed since the last call.
  Result<void> want(bool on, const std::string& link, IntoOverlay into);
  // Somebody changed tables of others.
  void touched() { stale_ = true; }

  // For status: what of ours is in others' tables, and what will not work.
  [[nodiscard]] const std::vector<std::string>& edits() const { return edits_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  // Takes back what a journal says is there, without a daemon.
  static Result<void> undo(const std::string& link);
  static constexpr const char* kJournalKind = "foreign";

 private:
  Result<void> leave_others(const std::string& link);

  Journal& journal_;
  bool stale_ = true, on_ = false;
  IntoOverlay into_ = IntoOverlay::nobody;
  std::string link_{};
  std::vector<std::string> edits_{}, notes_{};
};

}  // namespace wigeon
