// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/settings.hh"

#include <catch2/catch.hpp>
#include <set>

using namespace wigeon;

TEST_CASE("every setting has its own pointer, flag and variable, and shows its default") {
  std::set<std::string> names;
  const Config defaults;
  for (const auto& s : settings()) {
    CAPTURE(s.pointer);
    CHECK(names.emplace(s.pointer).second);
    CHECK(names.insert(s.flag).second);
    CHECK(names.insert(s.environment).second);
    CHECK(find_setting(s.pointer) == &s);
    CHECK(find_flag(s.flag) == &s);
    CHECK_FALSE(s.help.empty());
    Config c;
    const auto value = s.show(defaults);
    if (value.empty()) continue;
    CHECK(set(c, s, value, "test"));
    CHECK(s.show(c) == value);
    CHECK(c.origins.at(s.pointer) == "test");
  }
}

TEST_CASE("flags and variables are named after the pointer") {
  const auto& s = *find_setting("/dns/listenAddress");
  CHECK(s.flag == "--dns-listen-address");
  CHECK(s.environment == "WIGEON_DNS_LISTEN_ADDRESS");
  CHECK(find_setting("/disableIPv6")->flag == "--disable-ipv6");
  CHECK(find_setting("/bpfDirectory")->environment == "WIGEON_BPF_DIRECTORY");
}

TEST_CASE("values out of range are refused with the range, and change nothing") {
  struct Case {
    std::string_view pointer, value, reason;
  };
  const Case cases[] = {
      {"/wireguardPort", "0", "must be 1-65535"},
      {"/wireguardPort", "65536", "must be 1-65535"},
      {"/wireguardPort", "666666666666666666666", "must be 1-65535"},
      {"/wireguardPort", "51820x", "not a number"},
      {"/wireguardPort", "-1", "not a number"},
      {"/wireguardPort", "", "not a number"},
      {"/mtu", "1279", "must be 1280-65535"},
      {"/mtu", "0x500", "not a number"},
      {"/interfaceName", "wt0/", "an interface name has no blanks, '/', ':' or '%'"},
      {"/interfaceName", "..", "not a name for an interface"},
      {"/dns/redirect", "iptables",
       "must be one of auto|sk_lookup|tc|nftables|xdp|bind|off"},
      {"/datapath", "", "must be one of auto|xdp"},
      {"/routing/mark", "0", "must be 0x1-0xffffffff"},
      {"/routing/mark", "0x100000000", "must be 0x1-0xffffffff"},
      {"/routing/mark", "0xfffffffffffffffff", "not a number"},
      {"/routing/rulePriority", "32766", "must be 1-32000"},
      {"/disableIPv6", "maybe", "must be true or false"},
      {"/stateDirectory", "var/lib", "must be an absolute path"},
      {"/stateDirectory", "/a\nb", "has a control character"},
      {"/socketGroup", "a b", "not a group name"},
      {"/metricsListen", "9090", "expected host:port"},
      {"/routing/exclude", "10.0.0.0/8,10.0.0.0/33", "the prefix length must be 0-32"},
      {"/logLevel", "loud", "must be one of error|warning|info|debug"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.pointer, c.value);
    Config config;
    const auto done = set(config, *find_setting(c.pointer), c.value, "test");
    REQUIRE_FALSE(done);
    CHECK(done.error().what == c.reason);
    CHECK(to_json(config) == to_json({}));
    CHECK(config.origins.empty());
  }
}

TEST_CASE("lists are replaced as a whole, marks may be hexadecimal") {
  Config c;
  REQUIRE(set(c, *find_setting("/routing/exclude"), "10.0.0.0/8,fd00::/8", "a"));
  REQUIRE(set(c, *find_setting("/routing/exclude"), "192.0.2.1", "b"));
  CHECK(c.routing.exclude == std::vector{*Prefix::parse("192.0.2.1/32")});
  REQUIRE(set(c, *find_setting("/routing/exclude"), "", "c"));
  CHECK(c.routing.exclude.empty());
  REQUIRE(set(c, *find_setting("/routing/mark"), "0x1BD00", "a"));
  CHECK(c.routing.mark == 0x1bd00);
  REQUIRE(set(c, *find_setting("/routing/mark"), "113664", "a"));
  CHECK(c.routing.mark == 113664);
}

TEST_CASE("help lists every flag with what it takes and its default") {
  const auto help = settings_help();
  for (const auto& s : settings()) CHECK(help.find("  " + s.flag + " ") != help.npos);
  CHECK(help.find("  --mtu 1280-65535\n") != help.npos);
  CHECK(help.find("(default 51820)") != help.npos);
}
