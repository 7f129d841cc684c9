// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/clean.hh"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "agent/base/file.hh"
#include "agent/control/lock.hh"
#include "agent/core/alias.hh"
#include "agent/core/kernel_linux.hh"
#include "agent/core/reconcile.hh"
#include "agent/daemon/administrative.hh"
#include "agent/daemon/firewalld.hh"
#include "agent/daemon/foreign_rules.hh"
#include "agent/daemon/host_dns.hh"
#include "agent/daemon/redirect.hh"
#include "agent/daemon/starting.hh"
#include "agent/daemon/state_files.hh"
#include "dns/os/make.hh"

namespace wigeon {
namespace {

constexpr std::array kStates = {"link_state",    "route_state",  "rule_state",
                                "nft_state",     "sysctl_state", "zone_state",
                                "foreign_state", "dns_state",    "redirect_state"};
constexpr std::chrono::seconds kBusLimit{5};

struct StateFile {
  std::string_view name;
  std::string (*file)(const std::string& state_directory);
};
constexpr std::array kFiles = {StateFile{"daemon_state", administrative_file},
                               StateFile{"map_state", last_good_file},
                               StateFile{"routeselector_state", selection_file}};

std::set<std::string> names(const std::set<JournalEntry>& entries) {
  std::set<std::string> all;
  for (const auto& e : entries) all.insert(state_name(e));
  return all;
}

Result<void> check_name(const std::string& name, const std::set<std::string>& stored,
                        bool with_files) {
  if (name.empty() || stored.contains(name)) return {};
  std::string known;
  const auto is = [&](std::string_view candidate) {
    known += (known.empty() ? "" : ", ") + std::string(candidate);
    return candidate == name;
  };
  if (std::ranges::any_of(kStates, is)) return {};
  if (with_files && std::ranges::any_of(kFiles, is, &StateFile::name)) return {};
  return fail(EBADR, "there is no state \"" + name + "\"; known are " + known);
}

// The daemon's lock, in words that say what to do when a daemon has it.
Result<Lock> lock(const Config& config, std::string_view verb) {
  auto taken = Lock::take(config.runtime_directory);
  if (taken || taken.error().code != EALREADY) return taken;
  if (read_administrative(config.state_directory))
    return fail(EALREADY, "cannot " + std::string(verb) +
                              " state while connecting or connected, run 'wigeon down' "
                              "first.");
  return fail(EALREADY, taken.error().what +
                            " and is down: it takes its state away itself; see 'wigeon "
                            "status', or stop it first");
}

// A daemon that is down and has nothing left to do is no reason to refuse.
bool nothing_left(const Config& config) {
  const auto list = list_states(config);
  return list && list->empty() && !read_administrative(config.state_directory);
}

// As plan() sorts its work: by what it leaves in the journal; the rest is the link's.
std::string state_of(const Op& op, const std::string& alias) {
  const auto gone = journal_after(op, alias);
  return gone.empty() ? "link_state" : state_name(gone.front().entry);
}

// name: one state, or "" for all.
bool is_meant(const JournalEntry& e, const std::string& name) {
  return name.empty() || state_name(e) == name;
}

Result<void> forget(Journal& journal, auto which) {
  std::vector<JournalChange> gone;
  for (const auto& e : journal.entries())
    if (which(e)) gone.push_back({false, e});
  return journal.write(gone);
}

// The part of going down that belongs to one state.
Result<void> take_away(Kernel& kernel, Journal& journal, const std::string& link,
                       const std::string& name) {
  Engine engine(kernel, journal);
  if (name == "link_state") TRY(engine.remove_others(link));
  for (int round = 0; round < kMaxRounds; ++round) {
    TRY(engine.refresh(link));
    const Observed& seen = engine.observed();
    const std::string alias = seen.link_is_ours && seen.link ? seen.link->alias : "";
    bool done = true;
    for (const auto& op : TRY(plan(nothing_on(link), seen))) {
      if (state_of(op, alias) != name) continue;
      done = false;
      TRY(journal.write(journal_before(op, alias)));
      TRY(kernel.apply(op, alias));
      TRY(journal.write(journal_after(op, alias)));
    }
    if (done) return {};
  }
  return fail(EBUSY, "it does not go away, or somebody brings it back");
}

// Without a journal: what the kernel itself says is ours.
Result<std::set<std::string>> adopt(Kernel& kernel, Journal& journal,
                                    const std::string& link) {
  std::set<std::string> found;
  Observed seen;
  TRY(kernel.observe(link, {}, Parts::all(), seen));
  if (seen.link && is_our_alias(seen.link->alias)) {
    TRY(journal.write(
        {{true, {"link", link + " " + seen.link->kind + " " + seen.link->alias}}}));
    TRY(kernel.observe(link, {seen.link->alias, false}, Parts::all(), seen));
  }
  const std::string alias = seen.link_is_ours ? seen.link->alias : "";
  for (const auto& op : TRY(plan(nothing_on(link), seen)))
    found.insert(state_of(op, alias));
  return found;
}

// Routing tables that the journal's routes are in, should routing.table have changed
// since.
std::set<uint32_t> tables(const std::set<JournalEntry>& entries) {
  std::set<uint32_t> found;
  for (const auto& e : entries) {
    const auto at = e.kind == "route" ? e.detail.find(" table ") : std::string::npos;
    if (at == std::string::npos) continue;
    const auto digits = std::string_view(e.detail).substr(at + 7);
    if (const auto n = parse_number(digits.substr(0, digits.find(' ')), UINT32_MAX))
      found.insert(static_cast<uint32_t>(*n));
  }
  return found;
}

struct TakenBack {
  std::vector<std::string> notes{};  // taken back
  Result<void> error{};              // the first
};

// Each is in the journal until it is gone. found: what there is when the journal was
// lost.
void take_back(Journal& journal, const char* kind, const std::vector<std::string>& found,
               const std::function<Result<void>(const std::string&)>& undo,
               TakenBack& taken) {
  for (const auto& note : found)
    if (auto kept = journal.write({{true, {kind, note}}}); !kept)
      taken.error = std::move(kept);
  const auto entries = journal.entries();
  for (const auto& e : entries) {
    if (e.kind != kind) continue;
    auto done = undo(e.detail);
    if (done) done = journal.write({{false, e}});
    if (done)
      taken.notes.push_back(e.detail);
    else if (taken.error)
      taken.error = std::move(done);
  }
}

// What the host was told of our resolver, and then what leads its queries there. name:
// the state, "" for both.
TakenBack take_dns_back(const Config& config, Journal& journal, std::string_view name) {
  TakenBack taken;
  const bool lost = !journal.moved_aside().empty();
  if (name.empty() || name == "dns_state")
    take_back(
        journal, kDnsJournalKind,
        lost ? dns::os::recognise() : std::vector<std::string>{},
        [&](const std::string& note) {
          return dns::os::undo(note, resolv_conf_base(config.state_directory), kBusLimit);
        },
        taken);
  if (name.empty() || name == "redirect_state")
    take_back(journal, kRedirectJournalKind,
              lost ? redirect_notes(config.bpf_directory) : std::vector<std::string>{},
              undo_redirect, taken);
  return taken;
}

// What is in others' firewalls, which is not the engine's. Each is in the journal until
// it is gone; without a firewall there is nothing in it.
Result<void> clean_others(Journal& journal, const std::string& name) {
  Result<void> all{};
  const auto entries = journal.entries();
  for (const auto& e : entries) {
    if (is_engines(e) || e.kind == kDnsJournalKind || e.kind == kRedirectJournalKind ||
        !is_meant(e, name))
      continue;
    Result<void> done{};
    if (e.kind == ForeignRules::kJournalKind)
      done = ForeignRules::undo(e.detail);
    else if (const auto note = ZoneNote::parse(e.detail);
             note && e.kind == kZoneJournalKind)
      done = undo_zone(*note, kBusLimit);
    if (done || done.error().code == EOPNOTSUPP) done = journal.write({{false, e}});
    if (!done && all) all = std::move(done);
  }
  return all;
}

Result<std::vector<std::string>> forget_files(const Config& config,
                                              const std::string& name) {
  std::vector<std::string> gone;
  for (const auto& f : kFiles) {
    if (!name.empty() && name != f.name) continue;
    const std::string path = f.file(config.state_directory);
    if (::unlink(path.c_str()) == 0)
      gone.emplace_back(f.name);
    else if (errno != ENOENT)
      return fail_errno(path);
  }
  if (!gone.empty()) TRY(sync_directory(config.state_directory));
  return gone;
}

}  // namespace

std::string state_name(const JournalEntry& entry) {
  return (entry.kind == "making" ? "link" : entry.kind) + "_state";
}

Result<std::vector<JournalEntry>> list_states(const Config& config) {
  const auto path = journal_file(config.state_directory);
  const auto text = read_file(path, kMaxJournalBytes);
  if (!text && text.error().code == ENOENT) return {};
  if (!text) return within(path, text.error());
  auto entries = read_journal(*text);
  if (!entries)
    return within(
        path, fail(EINVAL, entries.error().what + "; 'wigeon state clean' keeps it as " +
                               path + ".corrupt and asks the kernel what is ours")
                  .error());
  std::vector<JournalEntry> list(entries->begin(), entries->end());
  std::ranges::stable_sort(list, {}, state_name);
  return list;
}

Result<Cleaned> clean_states(Kernel& kernel, Journal& journal, const std::string& link,
                             const std::string& name) {
  Cleaned cleaned;
  std::set<std::string> before;
  if (!journal.moved_aside().empty()) {
    before = TRY(adopt(kernel, journal, link));
    cleaned.note = "the journal was unreadable and is kept as " + journal.moved_aside() +
                   "; cleaned was what the kernel says is ours, by alias and protocol";
  }
  before.merge(names(journal.entries()));
  TRY(check_name(name, before, false));
  if (before.empty() || (!name.empty() && !before.contains(name))) return cleaned;
  if (name.empty()) {
    Engine engine(kernel, journal);
    TRY(engine.remove_others(link));
    TRY(engine.reconcile(nothing_on(link)));
  } else {
    TRY(take_away(kernel, journal, link, name));
  }
  // What is others' to take back stays on record until they have.
  TRY(forget(journal, [&](const auto& e) { return is_engines(e) && is_meant(e, name); }));
  // A link takes its own with it, so more than the named one may be gone; it was not
  // asked for and is not counted.
  if (name.empty())
    cleaned.names.assign(before.begin(), before.end());
  else
    cleaned.names = {name};
  return cleaned;
}

Result<Cleaned> clean_states(const Config& config, const std::string& name) {
  const auto held = lock(config, "clean");
  if (!held && held.error().code == EALREADY && nothing_left(config)) {
    TRY(check_name(name, {}, false));
    return Cleaned{};
  }
  if (!held) return std::unexpected(held.error());
  const auto path = journal_file(config.state_directory);
  if (::access(path.c_str(), F_OK) != 0) {
    if (errno != ENOENT) return fail_errno(path);
    TRY(check_name(name, {}, false));
    return Cleaned{};
  }
  auto journal = TRY(Journal::open(path));
  TRY(wait_for_starting(journal.entries()));
  const auto stored = names(journal.entries());
  // First, as in going down; a bus that does not answer must not keep the rest.
  const TakenBack dns = take_dns_back(config, journal, name);
  for (const uint32_t table : tables(journal.entries())) {
    if (table == config.routing.table || !(name.empty() || name == "route_state"))
      continue;
    const auto kernel = TRY(LinuxKernel::open(config.tunnel, table));
    TRY(take_away(*kernel, journal, config.interface_name, "route_state"));
  }
  const auto kernel = TRY(LinuxKernel::open(config.tunnel, config.routing.table));
  auto cleaned = TRY(clean_states(*kernel, journal, config.interface_name, name));
  // Those whose routes were all in another table count too, and DNS, which is gone by
  // now.
  for (const char* state : {"dns_state", "redirect_state", "route_state"})
    if (stored.contains(state) && (name.empty() || name == state) &&
        std::ranges::find(cleaned.names, state) == cleaned.names.end())
      cleaned.names.emplace_back(state);
  std::ranges::sort(cleaned.names);
  // Last, for the same reason.
  TRY(clean_others(journal, name));
  TRY(dns.error);
  return cleaned;
}

Result<std::vector<std::string>> restore_dns(const Config& config) {
  const auto held = Lock::take(config.runtime_directory);
  if (!held && held.error().code == EALREADY) return {};  // it looks after it itself
  if (!held) return std::unexpected(held.error());
  const auto path = journal_file(config.state_directory);
  if (::access(path.c_str(), F_OK) != 0) return {};
  auto journal = TRY(Journal::open(path));
  auto taken = take_dns_back(config, journal, "");
  TRY(taken.error);
  return taken.notes;
}

Result<Cleaned> delete_states(const Config& config, const std::string& name) {
  const auto held = TRY(lock(config, "delete"));
  const auto path = journal_file(config.state_directory);
  Cleaned deleted;
  std::set<std::string> stored;
  if (::access(path.c_str(), F_OK) == 0) {
    auto journal = TRY(Journal::open(path));
    if (!journal.moved_aside().empty())
      deleted.note = "the journal was unreadable and is kept as " + journal.moved_aside();
    stored = names(journal.entries());
    TRY(check_name(name, stored, true));
    TRY(forget(journal, [&](const auto& e) { return is_meant(e, name); }));
  } else if (errno != ENOENT) {
    return fail_errno(path);
  } else {
    TRY(check_name(name, {}, true));
  }
  for (const auto& s : stored)
    if (name.empty() || s == name) deleted.names.push_back(s);
  for (auto& f : TRY(forget_files(config, name))) deleted.names.push_back(std::move(f));
  std::ranges::sort(deleted.names);
  return deleted;
}

}  // namespace wigeon
