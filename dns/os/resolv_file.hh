// SPDX-License-Identifier: GPL-2.0-or-later
// The host's resolv.conf with our server first: for hosts where nobody else manages it.
// It cannot split, so every name is asked of us, and we forward to the base's servers.
//
// The base is what resolv.conf is without us. It is kept in a file before ours is
// written, and follows the host:
// - Somebody writes, replaces, links or removes resolv.conf: that is the new base, and
//   ours is put back over it, five times a minute at most (fights.hh).
// - Somebody edits ours and leaves its first line: the edit becomes part of the base,
//   line by line, and ours is written again only if something of it is missing.
// - The base is a link: ours takes the link's place and nothing is written through it.
//   What it leads to belongs to the one who makes it (systemd-resolved, NetworkManager, a
//   whole cluster), is read by others than libc, and goes on being kept up to date: so
//   the host's next servers reach ours at once, and putting back the link is enough. An
//   edit of ours is then not kept: what somebody generates is not edited by hand.
//
// Any crash leaves the old or the new file, and a base and a note to put it back by.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/file_watch.hh"
#include "agent/base/loop.hh"
#include "dns/os/fights.hh"
#include "dns/os/manager.hh"
#include "dns/os/resolv_file_base.hh"

namespace wigeon::dns::os {

class FileManager : public HostManager {
 public:
  struct Options {
    std::string resolv_conf = "/etc/resolv.conf";
    std::string base = "/var/lib/wigeon/resolv.conf";  // its directory exists
    // Where systemd-resolved writes whom it asks. Its stub would ask us again.
    std::string stub_servers = "/run/systemd/resolve/resolv.conf";
  };

  // left: notes of an earlier run. changed() comes from the loop, later; changing() and
  // undone() from within want(), withdraw() and the loop. The loop must live longer.
  FileManager(Loop& loop, Options options, const std::vector<std::string>& left,
              Events events);
  ~FileManager() override;

  void want(const HostDns& dns) override;
  void withdraw() override;
  [[nodiscard]] bool settled() const override { return !patient_since_; }
  [[nodiscard]] ManagerStatus status() const override;
  [[nodiscard]] std::vector<Endpoint> originals() const override { return originals_; }

 private:
  enum class Cause : uint8_t { ours, others };
  void look(Cause cause);
  Result<bool> put_ours(Cause cause);
  bool waits_for_writer(const ConfFile& now);
  Result<void> may_repair(const ConfFile& now);
  Result<void> keep_base(const OurLines& adds);
  Result<void> write(const std::string& text);
  void put_back();
  // What is there: ours as it was written, or the base from now on.
  void learn(const ConfFile& now);
  void follow_link();
  void watch_files();
  void refresh_originals();
  void again_after(std::chrono::microseconds wait);
  void tell();

  Loop& loop_;
  Options options_;
  Events events_;
  std::string note_;
  std::vector<std::string> strays_{};  // left notes about another path
  std::optional<HostDns> want_{};
  bool withdrawing_ = false;
  bool noted_ = false;  // something of ours may be on the host

  KeptBase base_{};
  bool base_known_ = false;
  OurLines written_{};                 // what the file there may hold of ours
  std::optional<std::string> text_{};  // as it was when it was last in order

  Fights fights_{};
  struct Failed {
    ConfFile now{};
    std::string text{};
    Error error{};
    std::chrono::microseconds until{};
  };
  std::optional<Failed> failed_{};     // not tried again before
  std::optional<ConfFile> refused_{};  // what stands there since we gave up
  ManagerStatus status_{};
  std::vector<std::string> notes_{};
  std::vector<Endpoint> originals_{};
  std::optional<std::chrono::microseconds> patient_since_{};

  std::string linked_{};  // the file that the base, a link, leads to
  std::vector<FileWatch> files_{};
  std::optional<FileWatch> link_file_{};
  UniqueFd
      inode_{};  // inotify on the file itself: a bind mount's directory hears nothing
  Loop::Watch inode_events_{}, soon_{}, again_{}, telling_{};
};

// Without a daemon: takes back what the note says, at any moment after a crash. What is
// not ours any more is left alone. Idempotent; on failure the base stays.
Result<void> undo_file(const std::string& note, const std::string& base);

// What the host would ask by this text, without the addresses in `without`. stub_servers:
// the text of resolved's own list, if it runs.
std::vector<Endpoint> original_servers(std::string_view text,
                                       const std::vector<Address>& without,
                                       const std::optional<std::string>& stub_servers);

}  // namespace wigeon::dns::os
