// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/sysctl.hh"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "agent/base/file.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;

namespace {

struct Root {
  TempDir dir{};
  std::string path = dir.path();

  void put(const std::string& key, std::string_view value) const {
    REQUIRE(make_directories(parent_directory(path + "/" + key), 0755));
    REQUIRE(replace_file(path + "/" + key, value, 0644));
  }
};

}  // namespace

TEST_CASE("a setting is read without its newline and written back") {
  const Root root;
  root.put("net/ipv4/conf/eth0.100/forwarding", "0\n");
  const std::string key = "net/ipv4/conf/eth0.100/forwarding";
  CHECK(read_sysctl(key, root.path).value() == "0");
  REQUIRE(write_sysctl(key, "1", root.path));
  CHECK(read_sysctl(key, root.path).value() == "1");
}

TEST_CASE("a setting that is not there is neither read nor made") {
  const Root root;
  const std::string key = "net/ipv4/conf/gone/forwarding";
  CHECK(read_sysctl(key, root.path).error().code == ENOENT);
  CHECK(write_sysctl(key, "1", root.path).error().code == ENOENT);
  root.put("net/ipv4/conf/default/forwarding", "0\n");
  CHECK(write_sysctl("net/ipv4/conf/default/new", "1", root.path).error().code == ENOENT);
}

TEST_CASE("a key that leaves /proc/sys is refused") {
  for (const std::string key :
       {"", "/etc/passwd", "net/../../etc", "net//ipv4", "net/", "net/./ipv4", ".."}) {
    CAPTURE(key);
    CHECK(read_sysctl(key).error().code == EINVAL);
    CHECK(write_sysctl(key, "1").error().code == EINVAL);
  }
}

TEST_CASE("forwarding for all of IPv6 changes every interface along with it") {
  const Root root;
  for (const std::string link : {"all", "default", "lo", "eth0", "eth0.100"})
    root.put("net/ipv6/conf/" + link + "/forwarding", "0\n");
  CHECK(written_along("net/ipv6/conf/all/forwarding", root.path).value() ==
        std::vector<std::string>{
            "net/ipv6/conf/default/forwarding", "net/ipv6/conf/eth0.100/forwarding",
            "net/ipv6/conf/eth0/forwarding", "net/ipv6/conf/lo/forwarding"});
  CHECK(written_along("net/ipv6/conf/eth0/forwarding", root.path).value().empty());
  CHECK(written_along("net/ipv4/conf/eth0/forwarding", root.path).value().empty());
}

TEST_CASE("what keeps listening to routers is written first, what is for all last") {
  std::vector<std::string> keys{
      "net/ipv6/conf/all/forwarding", "net/ipv6/conf/eth0/accept_ra",
      "net/ipv6/conf/eth0/forwarding", "net/ipv4/conf/eth0/forwarding"};
  std::ranges::sort(keys, written_before);
  CHECK(keys == std::vector<std::string>{
                    "net/ipv6/conf/eth0/accept_ra", "net/ipv4/conf/eth0/forwarding",
                    "net/ipv6/conf/eth0/forwarding", "net/ipv6/conf/all/forwarding"});
}
