// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/resolvconf.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "agent/base/file.hh"
#include "dns/os/resolv_file.hh"
#include "dns/os/resolv_file_text.hh"
#include "dns/resolv_conf.hh"

namespace wigeon::dns::os {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kSettle{50};
constexpr std::chrono::milliseconds kTryAgain{200}, kTryAgainAtMost{30'000};
constexpr size_t kMaxRecordFiles = 256;

bool there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string server_record(bool debian, const std::string& interface) {
  return (debian ? "tun." : "vpn.") + interface;
}
std::string search_record(bool debian, const std::string& interface) {
  return debian ? "zz." + interface : interface + ".search";
}
std::string records_directory(bool debian, const std::string& run) {
  return run + (debian ? "/interface" : "/interfaces");
}

// Both programs make a file name of it.
bool can_name_record(const std::string& interface) {
  const auto good = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.';
  };
  return !interface.empty() && std::ranges::all_of(interface, good);
}

// What the others' records hold, by name. No order that we know: theirs is a script's.
std::string other_records(const std::string& directory,
                          const std::vector<std::string>& ours) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    if (names.size() == kMaxRecordFiles) break;
    if (auto name = at->path().filename().string(); std::ranges::count(ours, name) == 0)
      names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  std::string all;
  for (const auto& name : names)
    if (const auto text = read_file(fs::path(directory) / name, kMaxResolvConf))
      all += *text + "\n";
  return all;
}

}  // namespace

ResolvconfManager::ResolvconfManager(Loop& loop, ManagerKind flavour,
                                     ResolvconfPaths paths,
                                     const std::vector<std::string>& left, Events events)
    : loop_(loop),
      flavour_(flavour),
      paths_(std::move(paths)),
      events_(std::move(events)),
      notes_(left),
      wait_(kTryAgain) {
  if (auto timer = loop_.timer([this] { begin(); })) again_ = std::move(*timer);
  if (auto timer = loop_.timer([this] { run_next(); })) next_ = std::move(*timer);
  if (auto timer = loop_.timer([this] { events_.changed(); }))
    telling_ = std::move(*timer);
  const auto records = records_directory(debian(), paths_.run);
  for (const auto& path : {paths_.resolv_conf, records + "/any", paths_.run + "/any"})
    if (auto watch = FileWatch::open(loop_, path, kSettle, [this] { look(); }))
      files_.push_back(std::move(*watch));
  look();
}

ResolvconfManager::~ResolvconfManager() = default;

std::string ResolvconfManager::note_for(const std::string& interface) const {
  return std::string(text(flavour_)) + " " + interface;
}

void ResolvconfManager::want(const HostDns& dns) {
  want_ = dns;
  withdrawing_ = false;
  wait_ = kTryAgain;
  begin();
}

void ResolvconfManager::withdraw() {
  want_.reset();
  withdrawing_ = true;
  begin();
}

// Something happened there, perhaps by our own run.
void ResolvconfManager::look() {
  if (there(paths_.run + "/enable-updates")) was_enabled_ = true;
  refresh_originals();
  if (busy_ || !want_ || told_ != want_ || !held_) return;
  auto wrong = what_is_wrong();
  if (wrong.empty() || (fights_.given_up() && wrong == refused_)) return;
  const bool may = fights_.changed(Loop::now());
  status_.repairs = fights_.repairs();
  if (may) return begin();
  refused_ = wrong;
  status_.applied = false;
  status_.failure = fmt::format(
      "{}, by somebody who did it more than {} times in a minute; "
      "left alone until a minute has passed without",
      wrong, Fights::kMost);
  again_after(*fights_.rest_until() - Loop::now());
  tell();
}

// One round: everything that makes it so, from the beginning.
void ResolvconfManager::begin() {
  if (busy_) {
    again_soon_ = true;
    return;
  }
  (void)again_.disarm();
  if (!want_ && !withdrawing_) return;
  (void)fights_.rested(Loop::now());
  failure_.clear();
  commands_.clear();
  if (want_ && can_name_record(want_->interface)) {
    const auto note = note_for(want_->interface);
    if (auto kept = events_.changing(note); !kept) {
      failure_ = kept.error().what;
    } else {
      if (std::ranges::count(notes_, note) == 0) notes_.push_back(note);
      add_records(*want_);
    }
  } else if (want_) {
    failure_ = want_->interface + ": a name that no record can have";
  }
  for (const auto& note : notes_)
    if (!want_ || note != note_for(want_->interface))
      delete_records(note.substr(note.find(' ') + 1));
  told_ = want_;
  if (want_)
    for (const auto& a : want_->servers)
      if (std::ranges::count(our_servers_, a) == 0) our_servers_.push_back(a);
  held_ = false;
  busy_ = true;
  run_next();
}

void ResolvconfManager::add_records(const HostDns& dns) {
  const auto ours = our_lines(dns, "");
  const auto records = records_directory(debian(), paths_.run);
  const auto server = server_record(debian(), dns.interface);
  const auto search = search_record(debian(), dns.interface);
  const auto fitted = fit_search(
      parse_resolv_conf(other_records(records, {server, search})).search, ours.search);
  status_.notes.clear();
  if (!fitted.left_out.empty())
    status_.notes.push_back(
        fmt::format("search domains for which resolv.conf has no room: {}",
                    fmt::join(fitted.left_out, " ")));
  const auto command = [&](std::vector<std::string> arguments, std::string input) {
    arguments.insert(arguments.begin(), paths_.program);
    commands_.push_back({std::move(arguments), std::move(input)});
  };
  if (!fitted.added.empty()) {
    const auto line = fmt::format("search {}\n", fmt::join(fitted.added, " "));
    if (debian())
      command({"-a", search}, line);
    else
      command({"-m", "9999999", "-a", search}, line);
  } else if (there(records + "/" + search)) {
    command({"-d", search}, "");
  }
  if (const Address* first = first_server(ours.servers))
    command({"-a", server}, "nameserver " + first->text() + "\n");
  // A directory that was wiped lost this too; nobody switched it off by that.
  if (debian() && was_enabled_ && !there(paths_.run + "/enable-updates") &&
      !there(paths_.run + "/resolv.conf"))
    command({"--enable-updates"}, "");
  // A record that stays as it is makes neither program write resolv.conf.
  if (there(records + "/" + server)) command({"-u"}, "");
}

void ResolvconfManager::delete_records(const std::string& interface) {
  if (!can_name_record(interface)) return;
  const auto records = records_directory(debian(), paths_.run);
  for (const auto& name :
       {server_record(debian(), interface), search_record(debian(), interface)})
    if (there(fs::path(records) / name))
      commands_.push_back({{paths_.program, "-d", name}, ""});
}

bool ResolvconfManager::has_records(const std::string& interface) const {
  const auto records = records_directory(debian(), paths_.run) + "/";
  return there(records + server_record(debian(), interface)) ||
         there(records + search_record(debian(), interface));
}

void ResolvconfManager::run_next() {
  run_.reset();
  if (commands_.empty()) return end();
  auto command = std::move(commands_.front());
  commands_.pop_front();
  const auto failed = [this, arguments = command.arguments](const std::string& why) {
    if (why.empty() || !failure_.empty()) return;
    failure_ = fmt::format("{}: {}", fmt::join(arguments, " "), why);
  };
  auto run = ProgramRun::start(loop_, command.arguments, command.input, kResolvconfLimit,
                               [this, failed](const std::string& why) {
                                 failed(why);
                                 (void)next_.restart(std::chrono::microseconds(0));
                               });
  if (run) {
    run_ = std::move(*run);
  } else {
    failed(run.error().what);
    (void)next_.restart(std::chrono::microseconds(0));
  }
}

void ResolvconfManager::end() {
  busy_ = false;
  refresh_originals();
  std::vector<std::string> gone;
  for (const auto& note : notes_)
    if ((!want_ || note != note_for(want_->interface)) &&
        !has_records(note.substr(note.find(' ') + 1)))
      gone.push_back(note);
  for (const auto& note : gone) std::erase(notes_, note);
  if (withdrawing_ && notes_.empty()) {
    withdrawing_ = false;
    failure_.clear();
    status_ = {};
  }
  // Its exit status is not everything: hooks of others fail, and may succeed in vain.
  auto wrong = want_ ? what_is_wrong() : "";
  status_.applied = want_ && wrong.empty();
  held_ = status_.applied;
  if (!wrong.empty())
    status_.failure = failure_.empty() ? wrong : wrong + " (" + failure_ + ")";
  else
    status_.failure = want_ ? "" : failure_;
  if (status_.applied && !failure_.empty()) status_.notes.push_back(failure_);
  // The first time soon: somebody may have changed it while we were at it.
  if (status_.failure.empty()) {
    wait_ = kTryAgain;
  } else {
    again_after(wait_);
    wait_ = std::min(2 * wait_, kTryAgainAtMost);
  }
  if (std::exchange(again_soon_, false)) begin();
  tell();
  for (const auto& note : gone) events_.undone(note);
}

std::string ResolvconfManager::what_is_wrong() {
  if (!told_) return {};
  const auto ours = our_lines(*told_, "");
  const Address* first = first_server(ours.servers);
  if (!first) return {};
  const auto record = records_directory(debian(), paths_.run) + "/" +
                      server_record(debian(), told_->interface);
  if (!there(record)) return record + " is gone";
  const auto conf = read_file(paths_.resolv_conf, kMaxResolvConf);
  const auto servers = parse_resolv_conf(conf.value_or("")).nameservers;
  const auto is_ours = [&](const Nameserver& n) { return n.address == *first; };
  // A cache on this host: it is told of us as libc would be.
  if (!servers.empty() && (is_ours(servers[0]) || servers[0].address.is_loopback()))
    return {};
  return fmt::format("{} names {}", paths_.resolv_conf,
                     servers.empty()
                         ? std::string("no server")
                         : servers[0].address.text() +
                               (std::ranges::any_of(servers, is_ours) ? " before ours"
                                                                      : " and not ours"));
}

// First those that libc would ask, then those that found no room there. A cache on this
// host asks us, so it is an original only when there is nobody else. When nothing is
// left, the directory was wiped, and the last known are better than nobody.
void ResolvconfManager::refresh_originals() {
  std::vector<std::string> records;
  auto without = our_servers_;
  for (const auto& note : notes_) {
    const auto interface = note.substr(note.find(' ') + 1);
    records.push_back(server_record(debian(), interface));
    records.push_back(search_record(debian(), interface));
    const auto mine = read_file(records_directory(debian(), paths_.run) + "/" +
                                    server_record(debian(), interface),
                                kMaxResolvConf);
    for (const auto& n : parse_resolv_conf(mine.value_or("")).nameservers)
      without.push_back(n.address);
  }
  const auto all = read_file(paths_.resolv_conf, kMaxResolvConf).value_or("") + "\n" +
                   other_records(records_directory(debian(), paths_.run), records);
  auto servers = original_servers(all, without, std::nullopt);
  const auto local = [](const Endpoint& e) { return e.address.is_loopback(); };
  if (!std::ranges::all_of(servers, local)) std::erase_if(servers, local);
  if (servers.empty() || servers == originals_) return;
  originals_ = std::move(servers);
  tell();
}

void ResolvconfManager::again_after(std::chrono::microseconds wait) {
  (void)again_.restart(std::max(wait, std::chrono::microseconds(0)));
}

void ResolvconfManager::tell() { (void)telling_.restart(std::chrono::microseconds(0)); }

Result<void> undo_resolvconf(const std::string& note, const ResolvconfPaths& paths) {
  const auto kind = kind_of_note(note);
  if (!kind || (*kind != ManagerKind::resolvconf && *kind != ManagerKind::openresolv))
    return fail(EINVAL, note + ": not a note of ours");
  auto loop = TRY(Loop::open());
  bool undone = false;
  HostManager::Events events;
  events.changing = [](const std::string&) -> Result<void> { return {}; };
  events.undone = [&](const std::string&) { undone = true; };
  events.changed = [] {};
  ResolvconfManager manager(loop, *kind, paths, {note}, std::move(events));
  manager.withdraw();
  const auto end = Loop::now() + 3 * kResolvconfLimit;
  while (!manager.settled() && Loop::now() < end)
    TRY(loop.run_once(std::chrono::milliseconds(100)));
  if (undone) return {};
  return fail(EAGAIN, "taking back " + note + ": " + manager.status().failure);
}

}  // namespace wigeon::dns::os
