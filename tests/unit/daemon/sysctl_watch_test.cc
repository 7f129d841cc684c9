// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/sysctl_watch.hh"

#include <catch2/catch.hpp>

#include "agent/base/file.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;

namespace {

const std::string kRa = "net/ipv6/conf/eth0/accept_ra";
const std::string kRedirects = "net/ipv4/conf/all/send_redirects";
const std::string kForwarding = "net/ipv4/conf/eth0/forwarding";

struct Settings {
  TempDir dir{};
  SysctlWatch watch{dir.path()};

  // In place, as the kernel has it: the file that is held shows it.
  void set(const std::string& key, const std::string& value) {
    const auto path = dir.path() + "/" + key;
    REQUIRE(make_directories(parent_directory(path), 0700));
    std::FILE* f = std::fopen(path.c_str(), "w");
    REQUIRE(f);
    std::fprintf(f, "%s\n", value.c_str());
    std::fclose(f);
  }
};

}  // namespace

TEST_CASE("what the kernel does not tell of is looked at, the rest is not") {
  Settings s;
  s.set(kRa, "2");
  s.set(kForwarding, "1");
  s.watch.hold({{.key = kForwarding, .value = "1"}});
  CHECK(s.watch.empty());
  s.watch.hold({{.key = kForwarding, .value = "1"}, {.key = kRa, .value = "2"}});
  CHECK_FALSE(s.watch.empty());
  CHECK_FALSE(s.watch.changed());
  s.set(kForwarding, "0");
  CHECK_FALSE(s.watch.changed());
  s.set(kRa, "1");
  CHECK(s.watch.changed());
  CHECK(s.watch.changed());
}

TEST_CASE("a value that was refused to us is no change") {
  Settings s;
  s.set(kRedirects, "1");
  s.watch.hold({{.key = kRedirects, .value = "1", .original = "1", .ours = "0"}});
  CHECK_FALSE(s.watch.changed());
}

TEST_CASE("once it was observed anew, the new value is the one that is held") {
  Settings s;
  s.set(kRa, "2");
  s.watch.hold({{.key = kRa, .value = "2"}});
  s.set(kRa, "1");
  REQUIRE(s.watch.changed());
  s.watch.hold({{.key = kRa, .value = "1"}});
  CHECK_FALSE(s.watch.changed());
}

TEST_CASE("a sysctl that is not there is not held, and none is when none is wanted") {
  Settings s;
  s.watch.hold({{.key = kRa}, {.key = kRedirects, .value = "0"}});
  CHECK(s.watch.empty());
  s.set(kRa, "2");
  s.watch.hold({{.key = kRa, .value = "2"}});
  s.watch.hold({});
  CHECK(s.watch.empty());
  CHECK_FALSE(s.watch.changed());
}
