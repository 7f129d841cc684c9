// SPDX-License-Identifier: GPL-2.0-or-later
// With a script in resolvconf's place; the real ones are in tests/host.
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <functional>

#include "agent/base/file.hh"
#include "dns/os/resolvconf.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;
using namespace wigeon::dns::os;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct Host {
  TempDir dir{};
  Loop loop = *Loop::open();
  ResolvconfPaths paths{dir.path() + "/resolvconf", dir.path() + "/resolv.conf",
                        dir.path() + "/run"};
  std::vector<std::string> journal{};
  std::unique_ptr<ResolvconfManager> manager{};
  HostDns dns{};

  Host() {
    fs::create_directories(paths.run + "/interface");
    std::ofstream(paths.run + "/interface/eth0.dhclient")
        << "search home.example\nnameserver 192.0.2.1\n";
    std::ofstream(paths.run + "/enable-updates");
    program(R"(case $1 in
  -a) cat > interface/$2;;
  -d) rm -f interface/$2;;
esac
cat interface/tun.* interface/eth0.* interface/zz.* > ../resolv.conf 2> /dev/null
)");
    dns.interface = "wt0";
    dns.servers = {*Address::parse("fd00::1"), *Address::parse("100.64.0.1")};
    dns.domains = {{"corp.example", true}, {"route.example", false}};
  }
  // It notes how it was called.
  void program(const std::string& body) {
    std::ofstream(paths.program) << "#!/bin/sh\necho \"$@\" >> " << dir.path()
                                 << "/calls\ncd " << paths.run << "\n"
                                 << body << "exit 0\n";
    ::chmod(paths.program.c_str(), 0755);
  }
  [[nodiscard]] std::string calls() const {
    return read_file(dir.path() + "/calls", 1 << 20).value_or("");
  }
  [[nodiscard]] std::string conf() const {
    return read_file(paths.resolv_conf, 1 << 20).value_or("");
  }
  ResolvconfManager& start() {
    HostManager::Events events;
    events.changing = [this](const std::string& note) -> Result<void> {
      journal.push_back(note);
      return {};
    };
    events.undone = [this](const std::string& note) { std::erase(journal, note); };
    events.changed = [] {};
    manager = std::make_unique<ResolvconfManager>(loop, ManagerKind::resolvconf, paths,
                                                  journal, std::move(events));
    return *manager;
  }
  bool within(std::chrono::milliseconds limit, const std::function<bool()>& so) {
    const auto end = Loop::now() + limit;
    while (!so() && Loop::now() < end) REQUIRE(loop.run_once(20ms));
    return so();
  }
  bool settle() {
    return within(10s, [&] { return manager->settled(); });
  }
};

}  // namespace

TEST_CASE("resolvconf is given a record for the server and one for our domains") {
  Host h;
  h.start().want(h.dns);
  REQUIRE(h.settle());
  CHECK(h.manager->status().applied);
  CHECK(h.manager->status().failure.empty());
  CHECK(h.calls() == "-a zz.wt0\n-a tun.wt0\n");
  CHECK(h.conf() ==
        "nameserver 100.64.0.1\nsearch home.example\nnameserver 192.0.2.1\n"
        "search corp.example\n");
  CHECK(h.journal == std::vector<std::string>{"resolvconf wt0"});
  CHECK(h.manager->originals() ==
        std::vector<Endpoint>{*Endpoint::parse("192.0.2.1:53")});

  h.manager->withdraw();
  REQUIRE(h.settle());
  CHECK(h.journal.empty());
  CHECK(h.conf() == "search home.example\nnameserver 192.0.2.1\n");
}

TEST_CASE("what a killed daemon told resolvconf is taken back without one") {
  Host h;
  h.start().want(h.dns);
  REQUIRE(h.settle());
  const auto note = h.journal.at(0);
  h.manager.reset();
  CHECK(undo_resolvconf(note, h.paths));
  CHECK_FALSE(fs::exists(h.paths.run + "/interface/tun.wt0"));
  CHECK_FALSE(fs::exists(h.paths.run + "/interface/zz.wt0"));
  CHECK(undo_resolvconf(note, h.paths));
  fs::remove_all(h.paths.run);
  fs::remove(h.paths.program);
  CHECK(undo_resolvconf(note, h.paths));
}

TEST_CASE("a failing resolvconf is said in its own words and leaves us running") {
  Host h;
  h.program("echo 'Command not recognized' >&2; exit 99\n");
  h.start().want(h.dns);
  REQUIRE(h.settle());
  CHECK_FALSE(h.manager->status().applied);
  CHECK(h.manager->status().failure.find("exit status 99: Command not recognized") !=
        std::string::npos);
  h.manager->withdraw();
  REQUIRE(h.settle());
  CHECK(h.journal.empty());
}

TEST_CASE("a hook's failure is a note when resolv.conf is as wanted") {
  Host h;
  h.program("cat > interface/$2; cat interface/tun.* > ../resolv.conf; exit 1\n");
  h.start().want(h.dns);
  REQUIRE(h.settle());
  CHECK(h.manager->status().applied);
  CHECK(h.manager->status().failure.empty());
  REQUIRE(h.manager->status().notes.size() == 1);
  CHECK(h.manager->status().notes[0].find("exit status 1") != std::string::npos);
}

TEST_CASE("a program that is not there is a failure") {
  Host h;
  fs::remove(h.paths.program);
  h.start().want(h.dns);
  REQUIRE(h.settle());
  CHECK(h.manager->status().failure.find("No such file") != std::string::npos);
}

TEST_CASE("a program that hangs is killed with its children after its time") {
  TempDir dir;
  auto loop = *Loop::open();
  std::string why = "?";
  bool done = false;
  const auto script = "echo begun; sleep 1000 & echo $! > " + dir.path() + "/pid; wait";
  const auto run = ProgramRun::start(loop, {"/bin/sh", "-c", script}, "", 200ms,
                                     [&](const std::string& failure) {
                                       why = failure;
                                       done = true;
                                     });
  REQUIRE(run);
  while (!done) REQUIRE(loop.run_once(20ms));
  CHECK(why == "took more than 200 ms: begun");
  const auto pid = std::stoi(*read_file(dir.path() + "/pid", 100));
  const auto end = Loop::now() + 5s;
  const auto lives = [&] {
    const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
    return stat && stat->find(") Z") == std::string::npos;
  };
  while (lives() && Loop::now() < end) (void)loop.run_once(20ms);
  CHECK_FALSE(lives());
}

TEST_CASE(
    "what a program says is bounded and has no line ends, and input is given whole") {
  auto loop = *Loop::open();
  std::string why = "?";
  bool done = false;
  const std::string input(100'000, 'x');
  const auto run = ProgramRun::start(
      loop, {"/bin/sh", "-c", "wc -c; head -c 1000000 /dev/zero; env; exit 3"}, input,
      10s, [&](const std::string& failure) {
        why = failure;
        done = true;
      });
  REQUIRE(run);
  while (!done) REQUIRE(loop.run_once(20ms));
  CHECK(why.starts_with("exit status 3: 100000"));
  CHECK(why.size() < 500);
  CHECK(why.find('\n') == std::string::npos);
}

TEST_CASE("records that somebody deletes come back, five times in a minute") {
  Host h;
  h.start().want(h.dns);
  REQUIRE(h.settle());
  const auto record = h.paths.run + "/interface/tun.wt0";
  for (int i = 0; i < 5; ++i) {
    fs::remove(record);
    fs::remove(h.paths.resolv_conf);
    REQUIRE(h.within(2s, [&] { return fs::exists(record) && h.manager->settled(); }));
    REQUIRE(h.within(2s, [&] { return h.manager->status().applied; }));
  }
  CHECK(h.manager->status().repairs == 5);
  fs::remove(record);
  CHECK(h.within(2s, [&] { return !h.manager->status().failure.empty(); }));
  CHECK_FALSE(fs::exists(record));
}

TEST_CASE("a wiped directory is filled again and the originals stay known") {
  Host h;
  h.start().want(h.dns);
  REQUIRE(h.settle());
  fs::remove_all(h.paths.run);
  fs::remove(h.paths.resolv_conf);
  fs::create_directories(h.paths.run + "/interface");
  REQUIRE(h.within(2s, [&] { return h.conf().starts_with("nameserver 100.64.0.1\n"); }));
  REQUIRE(h.settle());
  CHECK(h.calls().find("--enable-updates\n") != std::string::npos);
  CHECK(h.manager->originals() ==
        std::vector<Endpoint>{*Endpoint::parse("192.0.2.1:53")});
}

TEST_CASE("a server before ours is a failure, a cache of this host is not") {
  Host h;
  h.program("cat > interface/$2; cat interface/lo.x interface/tun.* > ../resolv.conf\n");
  SECTION("another server") {
    std::ofstream(h.paths.run + "/interface/lo.x") << "nameserver 192.0.2.9\n";
    h.start().want(h.dns);
    REQUIRE(h.settle());
    CHECK(h.manager->status().failure ==
          h.paths.resolv_conf + " names 192.0.2.9 before ours");
  }
  SECTION("a cache, which asks us and is not asked by us") {
    std::ofstream(h.paths.run + "/interface/lo.x") << "nameserver 127.0.0.1\n";
    h.start().want(h.dns);
    REQUIRE(h.settle());
    CHECK(h.manager->status().applied);
    CHECK(h.manager->originals().size() == 1);
  }
}
