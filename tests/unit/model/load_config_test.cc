// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/load_config.hh"

#include <catch2/catch.hpp>
#include <fstream>

#include "agent/model/limits.hh"
#include "agent/model/settings.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;

namespace {

struct Etc {
  TempDir dir{};
  ConfigSources sources{.file = dir.path() + "/config.json",
                        .directory = dir.path() + "/config.d"};

  void write(const std::string& name, std::string_view text) {
    const auto path = dir.path() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  // What is wrong, without the name of the directory.
  std::string problems() {
    const auto loaded = load_config(sources);
    if (loaded) return "";
    auto text = loaded.error().text();
    for (size_t at; (at = text.find(dir.path() + "/")) != text.npos;)
      text.erase(at, dir.path().size() + 1);
    return text;
  }
  Config config() {
    CAPTURE(problems());
    auto loaded = load_config(sources);
    REQUIRE(loaded);
    return *loaded;
  }
};

std::string problems_of(std::string_view text) {
  Config c;
  Problems p;
  apply_file(c, p, text, "f");
  settle(c, p);
  return p.text();
}

Config from_environment(std::vector<std::string> variables) {
  Config c;
  Problems p;
  apply_environment(c, p, variables);
  settle(c, p);
  CHECK(p.text() == "");
  return c;
}

std::string environment_problems(std::vector<std::string> variables) {
  Config c;
  Problems p;
  apply_environment(c, p, variables);
  return p.text();
}

}  // namespace

TEST_CASE("without files, variables and flags there are the defaults") {
  Etc etc;
  const auto c = etc.config();
  CHECK(c.interface_name == "wt0");
  CHECK(c.wireguard_port == 51820);
  CHECK(c.mtu == 1280);
  CHECK(c.source.file == "/etc/wigeon/network_map.json");
  CHECK(c.private_key_file == "/var/lib/wigeon/private.key");
  CHECK(c.dns.redirect == DnsRedirect::automatic);
  CHECK(c.routing.mark == 0x1BD00);
  CHECK_FALSE(c.routing.allow_default_route);
  CHECK(c.origins.empty());
}

TEST_CASE("every setting can be in the file") {
  Etc etc;
  etc.write("config.json", R"({
    "interfaceName":"wt7","wireguardPort":51821,"mtu":1400,"privateKeyFile":"/k",
    "presharedKeyFile":"/p","source":{"file":"/m"},"datapath":"xdp",
    "dns":{"manager":"networkManager","redirect":"bind","listenAddress":"[::1]:5053",
           "allowFrom":["172.17.0.0/16","fd00::/8"],"searchDomains":true,"serveStale":3600},
    "firewall":{"backend":"none","allowUnfiltered":true},
    "routing":{"table":100,"mark":"0x100","markMask":65280,"rulePriority":200,
               "disableClientRoutes":true,"disableServerRoutes":true,
               "allowDefaultRoute":true,"exclude":["10.0.0.0/8"]},
    "blockInbound":true,"blockLanAccess":true,"disableIPv6":true,"socketGroup":"adm",
    "stateDirectory":"/s","runtimeDirectory":"/r","bpfDirectory":"/b",
    "tunnel":"userspace","metricsListen":"127.0.0.1:9090","logLevel":"debug",
    "logFormat":"json"})");
  const auto c = etc.config();
  for (const auto& s : settings()) {
    CAPTURE(s.pointer);
    CHECK(c.origins.at(s.pointer) == etc.sources.file);
    CHECK(s.show(c) != s.show(Config{}));
  }
  CHECK(c.dns.allow_from.size() == 2);
  CHECK(c.dns.listen_address->port == 5053);
  CHECK(c.routing.mark == 0x100);
  CHECK(c.firewall.backend == FirewallBackend::none);
}

TEST_CASE("flag beats environment beats config.d in name order beats config.json") {
  Etc etc;
  etc.write("config.json", R"({"mtu":1300,"wireguardPort":1,"interfaceName":"a",
                               "logLevel":"error","dns":{"redirect":"off"},
                               "routing":{"exclude":["10.0.0.0/8","11.0.0.0/8"]}})");
  etc.write("config.d/20.json", R"({"mtu":1302,"wireguardPort":2,"logLevel":"debug"})");
  etc.write("config.d/10.json", R"({"mtu":1301,"wireguardPort":9,"interfaceName":"b",
                                    "routing":{"exclude":["12.0.0.0/8"]}})");
  etc.write("config.d/ignored.txt", "x");
  etc.write("config.d/.hidden.json", "x");
  etc.sources.environment = {"WIGEON_MTU=1303", "NB_MTU=1299", "WIGEON_WIREGUARD_PORT=3",
                             "HOME=/"};
  etc.sources.flags = {"--mtu=1304", "--disable-ipv6", "--dns-manager", "none"};
  const auto c = etc.config();
  CHECK(c.mtu == 1304);
  CHECK(c.wireguard_port == 3);
  CHECK(c.interface_name == "b");
  CHECK(c.log_level == log::Level::debug);
  CHECK(c.dns.redirect == DnsRedirect::off);
  CHECK(c.dns.manager == DnsManager::none);
  CHECK(c.disable_ipv6);
  CHECK(c.routing.exclude == std::vector{*Prefix::parse("12.0.0.0/8")});
  CHECK(c.origins.at("/mtu") == "--mtu");
  CHECK(c.origins.at("/wireguardPort") == "WIGEON_WIREGUARD_PORT");
  CHECK(c.origins.at("/logLevel") == etc.sources.directory + "/20.json");
}

TEST_CASE("all problems of all sources are listed") {
  Etc etc;
  etc.write("config.json",
            R"({"mtu":"1400","wireguardPort":70000,"colour":"red","dns":{"redirect":"x",
               "allowFrom":["10.0.0.0/33",5]},"source":"/m","mtu":1400,
               "routing":{"mark":true,"table":254},"blockInbound":null})");
  etc.write("config.d/a.json", "{");
  etc.sources.environment = {"WIGEON_MTU=big", "NB_DISABLE_DNS=x",
                             "NB_USE_NETSTACK_MODE=true"};
  etc.sources.flags = {"--mtu=1", "--colour", "red", "--log-level"};
  CHECK(etc.problems() ==
        "config.json: /mtu: \"1400\": expected a number, not a string\n"
        "config.json: /wireguardPort: 70000: must be 1-65535\n"
        "config.json: /colour: unknown key\n"
        "config.json: /dns/redirect: \"x\": must be one of "
        "auto|sk_lookup|tc|nftables|xdp|bind|off\n"
        "config.json: /dns/allowFrom/0: \"10.0.0.0/33\": the prefix length must be 0-32\n"
        "config.json: /dns/allowFrom/1: 5: expected a string, not a number\n"
        "config.json: /source: \"/m\": expected an object, not a string\n"
        "config.json: /routing/mark: true: expected a number, not true or false\n"
        "config.json: /blockInbound: null: expected true or false, not null\n"
        "config.json: /mtu: the key occurs more than once\n"
        "config.d/a.json: line 1, column 2: syntax error while parsing object key - "
        "unexpected end of input; expected string literal\n"
        "environment: NB_DISABLE_DNS: \"x\": must be true or false\n"
        "environment: NB_USE_NETSTACK_MODE: \"true\": userspace netstack mode is out of "
        "scope\n"
        "environment: WIGEON_MTU: \"big\": not a number\n"
        "command line: --mtu: \"1\": must be 1280-65535\n"
        "command line: --log-level: needs a value\n"
        "command line: \"--colour\": not a setting\n"
        "command line: \"red\": not a setting\n"
        "config.json: /routing/table: 253-255 are the kernel's own tables\n");
}

TEST_CASE("NetBird's variables serve where they mean the same") {
  const auto c = from_environment(
      {"NB_INTERFACE_NAME=nb0", "NB_WIREGUARD_PORT=1234", "NB_MTU=1400",
       "NB_DISABLE_DNS=true", "NB_DISABLE_CLIENT_ROUTES=1", "NB_DISABLE_SERVER_ROUTES=T",
       "NB_DISABLE_IPV6=TRUE", "NB_BLOCK_INBOUND=t", "NB_BLOCK_LAN_ACCESS=true",
       "NB_LOG_LEVEL=trace", "NB_LOG_FORMAT=json", "NB_STATE_DIR=/s",
       "NB_WG_KERNEL_DISABLED=true", "NB_DISABLE_FIREWALL=true",
       "NB_USE_NETSTACK_MODE=false"});
  CHECK(c.interface_name == "nb0");
  CHECK(c.wireguard_port == 1234);
  CHECK(c.mtu == 1400);
  CHECK(c.dns.manager == DnsManager::none);
  CHECK(c.routing.disable_client_routes);
  CHECK(c.routing.disable_server_routes);
  CHECK(c.disable_ipv6);
  CHECK(c.block_inbound);
  CHECK(c.block_lan_access);
  CHECK(c.log_level == log::Level::debug);
  CHECK(c.log_format == log::Format::json);
  CHECK(c.private_key_file == "/s/private.key");
  CHECK(c.tunnel == TunnelKind::userspace);
  CHECK(c.firewall.backend == FirewallBackend::none);
  CHECK(c.origins.at("/tunnel") == "NB_WG_KERNEL_DISABLED");
  CHECK(from_environment({"NB_WG_KERNEL_DISABLED=false"}).tunnel ==
        TunnelKind::automatic);
}

TEST_CASE("a preshared key from the environment is held but never shown") {
  const auto key = SecretKey::generate();
  const auto c = from_environment({"NB_PRESHARED_KEY=" + key.reveal()});
  CHECK(c.preshared_key == key);
  CHECK(to_json(c).find(key.reveal()) == std::string::npos);
  const auto problems = environment_problems({"NB_PRESHARED_KEY=not-a-key"});
  CHECK(problems.starts_with("environment: NB_PRESHARED_KEY: "));
  CHECK(problems.find("not-a-key") == problems.npos);
}

TEST_CASE("datapath xdp means both programs, unless one is given") {
  const auto both = from_environment({"WIGEON_DATAPATH=xdp"});
  CHECK(both.dns.redirect == DnsRedirect::xdp);
  CHECK(both.firewall.backend == FirewallBackend::xdp);
  const auto one =
      from_environment({"WIGEON_DATAPATH=xdp", "WIGEON_FIREWALL_BACKEND=auto"});
  CHECK(one.dns.redirect == DnsRedirect::xdp);
  CHECK(one.firewall.backend == FirewallBackend::automatic);
}

TEST_CASE("flags of others are handed back in order") {
  Config c;
  Problems p;
  const std::vector<std::string> arguments{
      "up", "--mtu", "1400", "--force", "--disable-ipv6=false", "--", "--mtu=1"};
  CHECK(apply_flags(c, p, arguments) ==
        std::vector<std::string>{"up", "--force", "--", "--mtu=1"});
  CHECK(p.empty());
  CHECK(c.mtu == 1400);
  CHECK(c.given("/disableIPv6"));
}

TEST_CASE("a mark outside of its mask is refused") {
  CHECK(problems_of(R"({"routing":{"mark":"0x2BD00"}})") ==
        "f: /routing/mark: has bits that /routing/markMask has not\n");
}

TEST_CASE("the settings file must be one object of a bounded size") {
  CHECK(problems_of("") == "f: the document is empty\n");
  CHECK(problems_of("[]") == "f: the document must be an object, not a list\n");
  CHECK(problems_of("{} x").starts_with("f: line 1, column 4: "));
  CHECK(problems_of(R"({"dns":{"dns":{}}})") == "f: /dns/dns: unknown key\n");
  Etc etc;
  etc.write("config.json", std::string(kMaxSettingsBytes + 1, ' '));
  CHECK(etc.problems() == "config.json: larger than the limit of 1048576 bytes\n");
}

TEST_CASE("the shown settings load again to the same") {
  const auto round = [](const Config& c) {
    Config again;
    Problems p;
    apply_file(again, p, to_json(c), "f");
    CHECK(p.text() == "");
    CHECK(to_json(again) == to_json(c));
  };
  round({});
  round(
      from_environment({"WIGEON_ROUTING_EXCLUDE=10.0.0.0/8,fd00::/8",
                        "WIGEON_METRICS_LISTEN=[::1]:1", "WIGEON_SOURCE_FILE=/a\"\\b"}));
}
