// SPDX-License-Identifier: GPL-2.0-or-later
// What we have put on the host, on disk before it is there, so that undoing needs no
// memory.
//
// One file of lines "v1 + KIND DETAIL" (about to be made) and "v1 - KIND DETAIL" (is gone
// again), one fsync a batch. A torn last line is as if it had not been written. A file
// that cannot be read as that is moved aside to NAME.corrupt and the truth is derived
// from the kernel (alias, route protocol).
//
// Compacted when opened, and when a write leaves it larger than kCompactAbove and than
// twice its live lines: a new file beside it, synced and renamed over it, so that a crash
// leaves the old one or the new one, which say the same.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"
#include "agent/core/plan.hh"

namespace wigeon {

inline constexpr size_t kMaxJournalBytes = 64 << 20;  // longer ones are unreadable

struct JournalEntry {
  std::string kind{};    // "making", "link", "route", "rule"
  std::string detail{};  // "wt0 wireguard wigeon:0123456789abcdef"; no newline

  auto operator<=>(const JournalEntry&) const = default;
};

struct JournalChange {
  bool add = true;
  JournalEntry entry{};
};

class Journal {
 public:
  static constexpr size_t kCompactAbove = 256 << 10;  // bytes

  // Opens or makes path (0600; its directory must exist).
  static Result<Journal> open(const std::string& path);

  // Durable when it returns. ENOSPC and EIO leave the journal as it was.
  Result<void> write(const std::vector<JournalChange>& batch);

  [[nodiscard]] const std::set<JournalEntry>& entries() const { return entries_; }
  // The file was unreadable and lies beside it now; empty when all was well.
  [[nodiscard]] const std::string& moved_aside() const { return moved_aside_; }

 private:
  Result<void> reopen();
  void compact(size_t size);

  std::string path_{};
  UniqueFd fd_{};
  size_t compact_at_ = kCompactAbove;  // size of the file
  std::set<JournalEntry> entries_{};
  std::string moved_aside_{};
};

// Pure half of open(): the live entries of a journal's text. EINVAL for text that is not
// one.
Result<std::set<JournalEntry>> read_journal(std::string_view text);

// What to write before an operation is done, and after it has succeeded. A link is
// "making" until it bears its alias, then "link"; what vanishes with the link is not
// listed.
std::vector<JournalChange> journal_before(const Op& op, const std::string& alias);
std::vector<JournalChange> journal_after(const Op& op, const std::string& alias);

// Whether it is of a kind that journal_before() writes.
bool is_engines(const JournalEntry& e);

// The sysctl of a "sysctl" entry, value not filled in; none for other kinds.
std::optional<KnownSysctl> journalled_sysctl(const JournalEntry& e);

}  // namespace wigeon
