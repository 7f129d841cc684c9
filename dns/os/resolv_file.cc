// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/resolv_file.hh"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "agent/base/file.hh"
#include "dns/os/resolv_file_undo.hh"

namespace wigeon::dns::os {
namespace {

constexpr std::chrono::milliseconds kSettle{50};
constexpr std::chrono::milliseconds kWriterEvery{50}, kWriterAtMost{600};
constexpr std::chrono::seconds kTryAgain{30};

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// Where a link leads, without following it further.
std::string leads_to(const std::string& path, const std::string& target) {
  return target.starts_with('/') ? target : parent_directory(path) + "/" + target;
}

template <class T>
void add_new(std::vector<T>& to, const std::vector<T>& more) {
  for (const auto& m : more)
    if (std::ranges::count(to, m) == 0) to.push_back(m);
}

OurLines both(OurLines a, const OurLines& b) {
  add_new(a.servers, b.servers);
  add_new(a.search, b.search);
  return a;
}

std::optional<std::string> read_if_there(const std::string& path) {
  if (auto text = read_file(path, kMaxResolvConf)) return std::move(*text);
  return std::nullopt;
}

}  // namespace

FileManager::FileManager(Loop& loop, Options options,
                         const std::vector<std::string>& left, Events events)
    : loop_(loop),
      options_(std::move(options)),
      events_(std::move(events)),
      note_(std::string(text(ManagerKind::file)) + " " + options_.resolv_conf),
      noted_(!left.empty()) {
  std::ranges::copy_if(left, std::back_inserter(strays_),
                       [this](const auto& n) { return n != note_; });
  if (auto timer = loop_.timer([this] { look(Cause::others); }))
    soon_ = std::move(*timer);
  if (auto timer = loop_.timer([this] { look(Cause::others); }))
    again_ = std::move(*timer);
  if (auto timer = loop_.timer([this] { events_.changed(); }))
    telling_ = std::move(*timer);
  watch_files();
  if (auto now = read_conf(options_.resolv_conf)) learn(*now);
  refresh_originals();
}

FileManager::~FileManager() = default;

void FileManager::watch_files() {
  for (const auto& path : {options_.resolv_conf, options_.stub_servers}) {
    auto watch = FileWatch::open(loop_, path, kSettle, [this] { look(Cause::others); });
    if (watch)
      files_.push_back(std::move(*watch));
    else if (path == options_.resolv_conf)
      notes_.push_back("changes by others are not seen: " + watch.error().what);
  }
  inode_ = UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  auto events = loop_.watch(inode_.get(), EPOLLIN, [this](uint32_t) {
    std::array<char, 4096> ignored{};
    while (::read(inode_.get(), ignored.data(), ignored.size()) > 0) {
    }
    (void)soon_.restart(kSettle);
  });
  if (events) inode_events_ = std::move(*events);
}

void FileManager::want(const HostDns& dns) {
  want_ = dns;
  withdrawing_ = false;
  look(Cause::ours);
}

void FileManager::withdraw() {
  want_.reset();
  withdrawing_ = true;
  failed_.reset();
  put_back();
  tell();
}

void FileManager::learn(const ConfFile& now) {
  const bool is_file = now.kind == ConfFile::Kind::file;
  // What an earlier run wrote in place when the power went.
  const bool torn = noted_ && !text_ && is_file && now.bytes.empty();
  if (torn || (is_our_conf(now.bytes) && is_file)) {
    if (!base_known_) {
      base_ = load_base(options_.base, now);
      written_ = base_.ours;
      noted_ = true;
    }
    base_.ours = written_;
    if (!torn && now.bytes != text_) base_.file = edited_base(now, base_);
  } else {
    auto file = now;
    // Made of ours, by somebody who keeps lines that he does not know.
    if (has_our_lines(now.bytes, written_))
      file.bytes = without_our_lines(now.bytes, base_.file.bytes, written_);
    base_.file = std::move(file);
  }
  base_known_ = true;
  follow_link();
}

// A base that is a link is what it leads to now.
void FileManager::follow_link() {
  const bool link = base_known_ && base_.file.kind == ConfFile::Kind::link;
  const auto file = link ? leads_to(options_.resolv_conf, base_.file.target) : "";
  if (link) base_.file.bytes = read_if_there(file).value_or("");
  if (file == linked_) return;
  linked_ = file;
  link_file_.reset();
  if (!link) return;
  auto watch =
      FileWatch::open(loop_, file, kSettle, [this] { (void)soon_.restart(kSettle); });
  if (watch) link_file_.emplace(std::move(*watch));
}

// Every look reads all there is: what was heard only says when.
void FileManager::look(Cause cause) {
  if (withdrawing_) put_back();
  if (!want_) {
    if (auto now = read_conf(options_.resolv_conf)) learn(*now);
    refresh_originals();
    return tell();
  }
  const auto put = put_ours(cause);
  if (put && !*put) return;  // a moment later
  status_.failure = put ? "" : put.error().what;
  status_.applied = put.has_value();
  if (!put && !fights_.given_up() && !failed_) again_after(kTryAgain);
  if (failed_) again_after(failed_->until - Loop::now());
  if (inode_events_)
    ::inotify_add_watch(inode_.get(), options_.resolv_conf.c_str(),
                        IN_CLOSE_WRITE | IN_ATTRIB);
  refresh_originals();
  tell();
}

// Somebody has it open to write it, and what he writes now would be lost.
bool FileManager::waits_for_writer(const ConfFile& now) {
  if (now.bytes != text_ && is_being_written(options_.resolv_conf)) {
    if (!patient_since_) patient_since_ = Loop::now();
    if (Loop::now() - *patient_since_ < kWriterAtMost) {
      (void)soon_.restart(kWriterEvery);
      return true;
    }
  }
  patient_since_.reset();
  return false;
}

Result<void> FileManager::may_repair(const ConfFile& now) {
  const bool same = refused_ == now;  // heard again, or the minute is over
  const bool may = (!same || fights_.rested(Loop::now())) && fights_.changed(Loop::now());
  status_.repairs = fights_.repairs();
  if (may) return {};
  refused_ = now;
  again_after(*fights_.rest_until() - Loop::now());
  return fail(EBUSY, fmt::format("somebody else changed {} more than {} times in a "
                                 "minute; it is left alone until a minute has "
                                 "passed without",
                                 options_.resolv_conf, Fights::kMost));
}

// Before ours is there: a note that it will be, and what it stands in place of.
Result<void> FileManager::keep_base(const OurLines& adds) {
  base_.ours = both(written_, adds);
  TRY(events_.changing(note_));
  noted_ = true;
  auto kept = replace_file(options_.base, encode_base(base_), 0600);
  if (!kept) return within("keeping the original", std::move(kept).error());
  return {};
}

// False: a moment later.
Result<bool> FileManager::put_ours(Cause cause) {
  const auto now = TRY(read_conf(options_.resolv_conf));
  if (waits_for_writer(now)) return false;
  learn(now);
  const auto ours = our_lines(*want_, host_name());
  if (has_our_lines(base_.file.bytes, ours))
    base_.file.bytes = without_our_lines(base_.file.bytes, base_.file.bytes, ours);
  const auto composed = compose_resolv_conf(base_.file.bytes, ours, options_.base);
  status_.notes.clear();
  if (!composed.left_out.empty())
    status_.notes.push_back(
        fmt::format("search domains for which resolv.conf has no room: {}",
                    fmt::join(composed.left_out, " ")));

  const bool there = now.kind == ConfFile::Kind::file && now.bytes == composed.text;
  if (there && text_ == composed.text) return true;
  if (!there && text_ && cause == Cause::others) TRY(may_repair(now));
  refused_.reset();
  // Trying makes a temporary file, which is heard like everything else there.
  const auto at = Loop::now();
  if (cause == Cause::others && failed_ && at < failed_->until && failed_->now == now &&
      failed_->text == composed.text)
    return std::unexpected(failed_->error);
  failed_.reset();
  OurLines adds{ours.servers, composed.added, {}};
  if (!composed.added.empty() && !ours.local_domain.empty())
    adds.search.push_back(ours.local_domain);
  auto put = keep_base(adds);
  if (put && !there) put = write(composed.text);
  if (!put) {
    failed_ = Failed{now, composed.text, put.error(), at + kTryAgain};
    return std::unexpected(put.error());
  }
  text_ = composed.text;
  written_ = adds;
  return true;
}

Result<void> FileManager::write(const std::string& text) {
  ConfFile ours;
  if (base_.file.kind == ConfFile::Kind::file) ours = base_.file;
  ours.kind = ConfFile::Kind::file;
  ours.bytes = text;
  TRY(write_conf(options_.resolv_conf, ours));
  const auto now = TRY(read_conf(options_.resolv_conf));
  if (now.bytes != text)
    return fail(EIO, options_.resolv_conf + ": it does not hold what was written");
  return {};
}

void FileManager::put_back() {
  if (!withdrawing_) return;
  const auto done = [this]() -> Result<void> {
    const auto& path = options_.resolv_conf;
    const auto now = TRY(read_conf(path));
    if (failed_ && Loop::now() < failed_->until && failed_->now == now)
      return std::unexpected(failed_->error);
    learn(now);
    remove_temporary(path);
    failed_.reset();
    if (!is_our_conf(now.bytes) || now.kind != ConfFile::Kind::file)
      return remove_base(options_.base);
    auto put = write_conf(path, base_.file);
    if (!put) failed_ = Failed{now, {}, put.error(), Loop::now() + kTryAgain};
    return put ? remove_base(options_.base) : put;
  }();
  status_ = {};
  if (!done) {
    status_.failure = "putting back the original: " + done.error().what;
    return again_after(kTryAgain);
  }
  withdrawing_ = false;
  text_.reset();
  written_ = {};
  base_.ours = {};
  refused_.reset();
  (void)again_.disarm();
  refresh_originals();
  for (const auto& note : std::exchange(strays_, {}))
    if (undo_file(note, options_.base)) events_.undone(note);
  if (std::exchange(noted_, false)) events_.undone(note_);
}

void FileManager::refresh_originals() {
  std::vector<Address> without = base_.ours.servers;
  if (want_) add_new(without, want_->servers);
  auto servers =
      original_servers(base_.file.bytes, without, read_if_there(options_.stub_servers));
  if (servers == originals_) return;
  originals_ = std::move(servers);
  tell();
}

ManagerStatus FileManager::status() const {
  auto status = status_;
  status.notes.insert(status.notes.end(), notes_.begin(), notes_.end());
  return status;
}

void FileManager::again_after(std::chrono::microseconds wait) {
  (void)again_.restart(std::max(wait, std::chrono::microseconds(0)));
}

void FileManager::tell() { (void)telling_.restart(std::chrono::microseconds(0)); }

}  // namespace wigeon::dns::os
