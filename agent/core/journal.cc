// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/journal.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "agent/base/file.hh"
#include "agent/base/marks.hh"

namespace wigeon {
namespace {

std::string line(const JournalChange& c) {
  return std::string("v1 ") + (c.add ? "+ " : "- ") + c.entry.kind + " " +
         c.entry.detail + "\n";
}

std::string text_of(const std::set<JournalEntry>& entries) {
  std::string s;
  for (const auto& e : entries) s += line({true, e});
  return s;
}

bool outlives_link(const Route& r) {
  return r.type != Route::Type::unicast || r.device != IfIndex::none;
}

std::string nft_detail() { return std::string(kNftFamily) + " " + kNftTable; }

std::string link_detail(const op::LinkAdd& o, const std::string& alias) {
  return o.name + " " + o.kind + " " + alias;
}

std::vector<JournalChange> routes(const std::vector<Route>& list, const std::string& link,
                                  bool add) {
  std::vector<JournalChange> changes;
  for (const auto& r : list)
    if (outlives_link(r)) changes.push_back({add, {"route", text(r, link)}});
  return changes;
}

// "KEY ORIGINAL OURS"; the values have no blanks.
JournalEntry sysctl_entry(const Sysctl& s, const std::string& original) {
  return {"sysctl", s.key + " " + original + " " + s.value};
}

std::vector<JournalChange> along(const std::vector<Sysctl>& list,
                                 const std::string& written) {
  std::vector<JournalChange> changes;
  for (const auto& s : list)
    changes.push_back({true, sysctl_entry({s.key, written}, s.value)});
  return changes;
}

}  // namespace

bool is_engines(const JournalEntry& e) {
  static constexpr std::array kKinds = {"making", "link",   "route",
                                        "rule",   "sysctl", "nft"};
  return std::ranges::find(kKinds, e.kind) != kKinds.end();
}

std::optional<KnownSysctl> journalled_sysctl(const JournalEntry& e) {
  if (e.kind != "sysctl") return std::nullopt;
  const auto first = e.detail.find(' '), last = e.detail.rfind(' ');
  if (first == e.detail.npos || first == last) return std::nullopt;
  return KnownSysctl{.key = e.detail.substr(0, first),
                     .original = e.detail.substr(first + 1, last - first - 1),
                     .ours = e.detail.substr(last + 1)};
}

std::vector<JournalChange> journal_before(const Op& op, const std::string& alias) {
  if (const auto* o = std::get_if<op::LinkAdd>(&op))
    return {{true, {"making", link_detail(*o, alias)}}};
  if (const auto* o = std::get_if<op::RoutesAdd>(&op))
    return routes(o->routes, o->link, true);
  if (const auto* o = std::get_if<op::RuleAdd>(&op))
    return {{true, {"rule", text(o->rule)}}};
  if (const auto* o = std::get_if<op::SysctlSet>(&op)) {
    auto changes = along(o->along, o->sysctl.value);
    changes.push_back({true, sysctl_entry(o->sysctl, o->original)});
    return changes;
  }
  if (const auto* o = std::get_if<op::SysctlRestore>(&op))
    return along(o->along, o->original);
  if (std::holds_alternative<op::NftSet>(op)) return {{true, {"nft", nft_detail()}}};
  return {};
}

std::vector<JournalChange> journal_after(const Op& op, const std::string& alias) {
  if (const auto* o = std::get_if<op::LinkAdd>(&op))
    return {{true, {"link", link_detail(*o, alias)}},
            {false, {"making", link_detail(*o, alias)}}};
  if (const auto* o = std::get_if<op::LinkDel>(&op)) {
    std::vector<JournalChange> gone;
    for (const char* kind : {"link", "making"})
      for (const char* type : {" wireguard ", " tun "})
        gone.push_back({false, {kind, o->name + type + alias}});
    return gone;
  }
  if (const auto* o = std::get_if<op::RoutesDel>(&op))
    return routes(o->routes, o->link, false);
  if (const auto* o = std::get_if<op::RuleDel>(&op))
    return {{false, {"rule", text(o->rule)}}};
  if (const auto* o = std::get_if<op::SysctlRestore>(&op))
    return {{false, sysctl_entry(o->sysctl, o->original)}};
  if (std::holds_alternative<op::NftDel>(op)) return {{false, {"nft", nft_detail()}}};
  return {};
}

Result<std::set<JournalEntry>> read_journal(std::string_view text) {
  std::set<JournalEntry> entries;
  for (size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    if (end == text.npos) break;  // torn last line
    const std::string_view l = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto space = l.find(' ', 5);
    if (l.size() < 6 || !l.starts_with("v1 ") || (l[3] != '+' && l[3] != '-') ||
        l[4] != ' ' || space == l.npos)
      return fail(EINVAL, "line " + std::to_string(number) + " is not a journal line");
    JournalEntry e{std::string(l.substr(5, space - 5)), std::string(l.substr(space + 1))};
    if (l[3] == '+')
      entries.insert(std::move(e));
    else
      entries.erase(e);
  }
  return entries;
}

Result<Journal> Journal::open(const std::string& path) {
  Journal j;
  j.path_ = path;
  auto text = read_file(path, kMaxJournalBytes);
  if (!text && text.error().code != ENOENT && text.error().code != EFBIG)
    return within(path, std::move(text).error());
  auto entries = text                          ? read_journal(*text)
                 : text.error().code == ENOENT ? Result<std::set<JournalEntry>>{}
                                               : std::unexpected(text.error());
  if (entries) {
    j.entries_ = std::move(*entries);
  } else {
    j.moved_aside_ = path + ".corrupt";
    if (::rename(path.c_str(), j.moved_aside_.c_str()) != 0)
      return fail_errno(path + ": rename");
  }
  if (!text || *text != text_of(j.entries_))
    TRY(replace_file(path, text_of(j.entries_), 0600));
  TRY(j.reopen());
  return j;
}

Result<void> Journal::reopen() {
  fd_.reset(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!fd_) return fail_errno(path_ + ": open");
  return {};
}

// A failure is tried again when the file has doubled: nothing is lost but space.
void Journal::compact(size_t size) {
  const auto live = text_of(entries_);
  compact_at_ = std::max(kCompactAbove, 2 * live.size());
  if (size <= compact_at_) return;
  const auto replaced = replace_file(path_, live, 0600);
  // Also when that failed: the name may be the new file's already, and what is written to
  // the old one then is lost. If it cannot be opened, the next write tries again.
  const auto open = reopen();
  if (!replaced || !open) compact_at_ = 2 * size;
}

Result<void> Journal::write(const std::vector<JournalChange>& batch) {
  std::string text;
  for (const auto& c : batch)
    if (c.add != entries_.contains(c.entry)) text += line(c);
  if (text.empty()) return {};
  if (!fd_) TRY(reopen());
  const off_t before = ::lseek(fd_.get(), 0, SEEK_END);
  const ssize_t n = ::write(fd_.get(), text.data(), text.size());
  const bool whole = n == static_cast<ssize_t>(text.size());
  if (!whole || ::fdatasync(fd_.get()) != 0) {
    auto error =
        fail_errno(path_ + ": writing the journal", whole || n < 0 ? errno : ENOSPC);
    // A half-written line would swallow the next one.
    (void)!::ftruncate(fd_.get(),
                       before);  // the torn line at the end is harmless by itself
    return error;
  }
  for (const auto& c : batch) {
    if (c.add)
      entries_.insert(c.entry);
    else
      entries_.erase(c.entry);
  }
  const auto size = static_cast<size_t>(before) + text.size();
  if (size > compact_at_) compact(size);
  return {};
}

}  // namespace wigeon
