// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever a loss of power leaves of our resolv.conf, its base and the journal,
// `wigeond --restore-dns` gives the host back its own.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "agent/core/journal.hh"
#include "agent/daemon/clean.hh"
#include "agent/daemon/host_dns.hh"
#include "agent/daemon/state_files.hh"
#include "dns/os/resolv_file.hh"
#include "tests/harness/file_calls.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;
using namespace wigeon::dns::os;
namespace fs = std::filesystem;

namespace {

struct Host {
  TempDir on_disk{};
  // Thousands of fsync(2): in memory where there is such a directory.
  std::string dir = ::access("/dev/shm", W_OK) == 0
                        ? "/dev/shm/" + fs::path(on_disk.path()).filename().string()
                        : on_disk.path();
  std::string etc = dir + "/etc", state = dir + "/state";
  std::string conf = etc + "/resolv.conf";

  Host() {
    fs::create_directories(etc);
    fs::create_directories(state);
    // The daemon has run before; other notes are in its journal.
    auto journal = *Journal::open(journal_file(state));
    REQUIRE(journal.write({{true, {"route", "unreachable 10.0.0.0/8 metric 7"}}}));
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() {
    std::error_code ignored;
    fs::remove_all(dir, ignored);
  }
  [[nodiscard]] Config config() const {
    Config c;
    c.state_directory = state;
    c.runtime_directory = dir + "/run";
    return c;
  }
  // What the daemon does to files, the manager being told these one after the other.
  [[nodiscard]] std::vector<FileCall> calls(
      const std::vector<std::function<void(FileManager&)>>& told) const {
    const auto done = record_calls(dir, [&] {
      auto loop = *Loop::open();
      auto journal = *Journal::open(journal_file(state));
      HostManager::Events events;
      events.changing = [&](const std::string& note) {
        return journal.write({{true, {kDnsJournalKind, note}}});
      };
      events.undone = [&](const std::string& note) {
        (void)journal.write({{false, {kDnsJournalKind, note}}});
      };
      events.changed = [] {};
      FileManager manager(loop,
                          {.resolv_conf = conf,
                           .base = resolv_conf_base(state),
                           .stub_servers = dir + "/stub"},
                          {}, std::move(events));
      for (const auto& tell : told) {
        tell(manager);
        if (!manager.status().failure.empty()) ::_exit(1);
      }
    });
    REQUIRE(done);
    return *done;
  }
};

HostDns wish(const char* server) {
  return {.interface = "wt0",
          .servers = {*Address::parse(server)},
          .domains = {{"corp.example", true}},
          .all_names = true};
}

// Of the host, ours left aside.
StoredFiles of_host(const Host& h, const StoredFiles& files) {
  StoredFiles found;
  for (const auto& [path, file] : files)
    if (!path.starts_with(h.state) && !path.starts_with(h.dir + "/run"))
      found[path] = file;
  return found;
}

struct Outcome {
  size_t states = 0, wrong = 0;
  std::string first{};  // of what went wrong
};

// Every state that a loss of power after any call may leave, each restored to the host's
// own files.
Outcome restore_all(const Host& h, const StoredFiles& host, const StoredFiles& before,
                    const std::vector<FileCall>& calls) {
  Outcome o;
  std::set<StoredFiles> tried;
  for (size_t done = 0; done <= calls.size(); ++done)
    after_power_loss(before, calls, done, [&](const StoredFiles& files) {
      if (!tried.insert(files).second) return;
      ++o.states;
      write_files(h.dir, files);
      const auto notes = restore_dns(h.config());
      const auto now = of_host(h, read_files(h.dir));
      const bool kept = fs::exists(resolv_conf_base(h.state));
      if (notes && now == host && !kept) return;
      if (o.wrong++ > 0) return;
      o.first =
          "after call " + std::to_string(done) + (notes ? "" : ": " + notes.error().what);
      for (const auto& [path, file] : now) o.first += "\n" + path + ":\n" + file.bytes;
    });
  return o;
}

}  // namespace

TEST_CASE("after any loss of power the host has its own resolv.conf again") {
  Host h;
  const std::string text = "search home.example\noptions rotate\nnameserver 192.0.2.1";
  SECTION("a file") {
    std::ofstream(h.conf) << text;
    ::chmod(h.conf.c_str(), 0640);
    if (::geteuid() == 0) REQUIRE(::chown(h.conf.c_str(), 12, 34) == 0);
  }
  SECTION("a link") {
    std::ofstream(h.dir + "/run.conf") << text;
    fs::create_symlink("../run.conf", h.conf);
  }
  SECTION("a link that leads nowhere") { fs::create_symlink("../gone.conf", h.conf); }
  SECTION("none") {}
  const auto before = read_files(h.dir);
  const auto calls =
      h.calls({[](auto& m) { m.want(wish("100.64.0.1")); },
               [](auto& m) { m.want(wish("100.64.0.2")); }, [](auto& m) { m.withdraw(); },
               [](auto& m) { m.want(wish("fd00::1")); }});
  CHECK(calls.size() > 40);
  const auto told = read_files(h.dir);
  const auto restoring = record_calls(h.dir, [&] {
    if (!restore_dns(h.config())) ::_exit(1);
  });
  REQUIRE(restoring);
  const auto host = of_host(h, before);
  const auto outcome = restore_all(h, host, before, calls);
  INFO(outcome.first);
  CHECK(outcome.wrong == 0);
  CHECK(outcome.states > 60);
  // Whoever restores may lose power too.
  const auto again = restore_all(h, host, told, *restoring);
  INFO(again.first);
  CHECK(again.wrong == 0);
  CHECK(again.states > 20);
  // The test can fail: without syncs, and without a note, not everything comes back.
  const auto careless = [&](auto leave_out) {
    auto some = calls;
    std::erase_if(some, leave_out);
    const auto in_place = std::ranges::find_if(some, [&](const FileCall& c) {
      return c.kind == FileCall::Kind::rename && c.other == h.conf;
    });
    some.erase(in_place + 1, some.end());
    return restore_all(h, host, before, some).wrong;
  };
  CHECK(careless([](const FileCall& c) {
          return c.kind == FileCall::Kind::sync ||
                 c.kind == FileCall::Kind::sync_directory;
        }) > 0);
  CHECK(careless([&](const FileCall& c) {
          return c.kind == FileCall::Kind::write && c.bytes.starts_with("v1 + dns ");
        }) > 0);
}
