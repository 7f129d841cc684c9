// SPDX-License-Identifier: GPL-2.0-or-later
#include <catch2/catch.hpp>

#include "dns/os/bus_network_manager.hh"
#include "dns/os/bus_resolved.hh"
#include "tests/harness/bus_message.hh"

using namespace wigeon;
using namespace wigeon::dns::os;

namespace {

const MessageMaker maker;
constexpr uint8_t kA = 100;

HostDns host_dns() {
  return {
      .interface = "wt0",
      .index = IfIndex{5},
      .servers = {*Address::parse("100.64.0.1"), *Address::parse("fd00::1")},
      .domains = {{.name = "corp.example"}, {.name = "s.example", .is_search = true}}};
}

Endpoint at(const char* text) { return *Endpoint::parse(text); }

// a(iayqs) with one server.
int server(sd_bus_message* m, const char* key, uint16_t port, const char* name) {
  return sd_bus_message_append(m, "a{sv}", 2, key, "a(iayqs)", 1, AF_INET, 4, kA, 64, 0,
                               1, port, name, "Domains", "a(sb)", 0);
}

// A connection as NetworkManager 1.42 says it, with WireGuard's peers known by their key.
int connection(sd_bus_message* m) {
  return sd_bus_message_append(
      m, "a{sa{sv}}t", 4, "connection", 1, "id", "s", "wt0", "wireguard", 2,
      "listen-port", "u", 51820U, "peers", "aa{sv}", 1, 1, "public-key", "s", "abc",
      "ipv4", 5, "address-data", "aa{sv}", 1, 2, "address", "s", "100.64.0.1", "prefix",
      "u", 16U, "addresses", "aau", 1, 3, 1U, 2U, 3U, "dns", "au", 1, 0x0100a8c0U,
      "dns-search", "as", 1, "old.example", "method", "s", "manual", "ipv6", 2, "method",
      "s", "manual", "dns-data", "as", 1, "2001:db8::53", uint64_t{7});
}

}  // namespace

TEST_CASE("a link of resolved is read with what this version knows") {
  const auto m = maker.make([](sd_bus_message* to) {
    return sd_bus_message_append(
        to, "a{sv}", 6, "ScopesMask", "t", uint64_t{1}, "DNS", "a(iay)", 1, AF_INET, 4,
        kA, 64, 0, 1, "Domains", "a(sb)", 2, "z.example", 1, "a.example", 0,
        "DefaultRoute", "b", 1, "DNSSEC", "s", "no", "LLMNR", "u", 7U);
  });
  const auto link = read_resolved_link(m.get());
  REQUIRE(link);
  CHECK(*link->servers == std::vector{at("100.64.0.1:53")});
  CHECK(*link->domains ==
        std::vector<HostDomain>{{.name = "a.example", .is_search = true},
                                {.name = "z.example"}});
  CHECK(link->default_route == true);
  CHECK(link->dnssec == "no");
  CHECK_FALSE(link->dns_over_tls);
  CHECK_FALSE(link->llmnr);
}

TEST_CASE("another port or a name for TLS makes a server another one") {
  const auto read = [](uint16_t port, const char* name) {
    const auto m =
        maker.make([&](sd_bus_message* to) { return server(to, "DNSEx", port, name); });
    return read_resolved_link(m.get())->servers->front();
  };
  CHECK(read(0, "") == at("100.64.0.1:53"));
  CHECK(read(5353, "") == at("100.64.0.1:5353"));
  CHECK(read(0, "dns.example") == at("100.64.0.1:853"));
}

TEST_CASE("hostile replies are refused with a reason") {
  const auto refused = [](auto fill) {
    const auto m = maker.make(fill);
    const auto link = read_resolved_link(m.get());
    return link ? "read" : link.error().what;
  };
  CHECK(refused([](sd_bus_message* m) { return sd_bus_message_append(m, "s", "x"); }) ==
        "the reply is not of type {sv}");
  CHECK(refused([](sd_bus_message*) { return 0; }) == "the reply is not of type {sv}");
  CHECK(refused([](sd_bus_message* m) { return sd_bus_message_append(m, "a{sv}", 0); }) ==
        "the link has no property DNS or Domains");
  CHECK(refused([](sd_bus_message* m) {
          return sd_bus_message_append(m, "a{sv}", 2, "DNS", "a(iay)", 1, AF_INET, 3, kA,
                                       64, 0, "Domains", "a(sb)", 0);
        }) == "a server is no address");
  CHECK(refused([](sd_bus_message* m) {
          const std::string longest(kMaxBusText + 1, 'a');
          return sd_bus_message_append(m, "a{sv}", 1, "Domains", "a(sb)", 1,
                                       longest.c_str(), 0);
        }) == "a text in the reply is too long");
  CHECK(refused([](sd_bus_message* m) {
          int e = sd_bus_message_open_container(m, 'a', "{sv}");
          for (size_t i = 0; e >= 0 && i <= kMaxBusItems; ++i)
            e = sd_bus_message_append(m, "{sv}", "k", "b", 1);
          return e < 0 ? e : sd_bus_message_close_container(m);
        }) == "an array in the reply is too long");
}

TEST_CASE("servers of resolved that cannot be asked are left out") {
  const auto m = maker.make([](sd_bus_message* to) {
    return sd_bus_message_append(
        to, "a{sv}", 1, "DNSEx", "a(iiayqs)", 6,                                       //
        0, AF_INET, 4, 127, 0, 0, 53, 0, "",                                           //
        0, AF_INET6, 16, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, "",  //
        2, AF_INET6, 16, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, "",  //
        2, AF_INET6, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 9, 9, 9, 9, 5353, "",
        3, AF_INET, 2, 1, 2, 0, "",  //
        -4, AF_INET, 4, 8, 8, 8, 8, 0, "");
  });
  const auto manager = read_resolved_manager(m.get());
  REQUIRE(manager);
  const Endpoint link_local{*Address::parse("fe80::1"), 53, 2};
  CHECK(manager->servers ==
        std::vector<ResolvedServer>{{IfIndex{2}, link_local},
                                    {IfIndex{2}, at("9.9.9.9:5353")}});
  CHECK(manager->without_link == 1);
}

TEST_CASE("domains only route unless they complete names; the root is one dot") {
  auto dns = host_dns();
  auto wish = resolved_wish(dns);
  CHECK(wish.link.default_route == false);
  CHECK(*wish.link.domains == dns.domains);
  dns.all_names = true;
  wish = resolved_wish(dns);
  CHECK(wish.link.default_route == true);
  CHECK(wish.link.domains->front() == HostDomain{.name = "."});
  CHECK(wish.left_out == 0);
}

TEST_CASE("more domains than resolved takes are fewer: first those below others") {
  HostDns dns = host_dns();
  for (int i = 0; i < 300; ++i)
    dns.domains.push_back({.name = "d" + std::to_string(i) + ".corp.example"});
  auto wish = resolved_wish(dns);
  CHECK(*wish.link.domains == host_dns().domains);
  CHECK(wish.left_out == 0);
  for (int i = 0; i < 300; ++i)
    dns.domains.push_back({.name = "d" + std::to_string(i) + ".example"});
  wish = resolved_wish(dns);
  CHECK(wish.link.domains->size() == kMaxLinkDomains);
  CHECK(wish.left_out == 302 - kMaxLinkDomains);
}

TEST_CASE("only what differs is written, the servers last, and no mode that is unknown") {
  const auto wanted = resolved_wish(host_dns()).link;
  auto is = wanted;
  CHECK(differing(wanted, is).empty());
  is.dns_over_tls.reset();
  is.servers->clear();
  is.domains->clear();
  is.dnssec = "allow-downgrade";
  CHECK(differing(wanted, is) ==
        std::vector{ResolvedPart::dnssec, ResolvedPart::domains, ResolvedPart::servers});
}

TEST_CASE("a connection's DNS is rewritten and the rest passed on") {
  const auto in = maker.make(connection);
  const auto is = read_nm_applied(in.get());
  REQUIRE(is);
  CHECK(is->v4.servers == std::vector<std::string>{"192.168.0.1"});
  CHECK(is->v6.servers == std::vector<std::string>{"2001:db8::53"});
  CHECK(is->version == 7);

  const auto wish = nm_wish(host_dns(), *is, true);
  CHECK(wish.v4 == NmDns{.servers = {"100.64.0.1"},
                         .search = {"~corp.example", "s.example"},
                         .priority = -500});
  CHECK(wish.v6_ignored);
  CHECK_FALSE(nm_says(*is, wish));
  const auto out = maker.make([&](sd_bus_message* m) {
    const int e = put_nm_settings(m, in.get(), wish);
    return e < 0 ? e : sd_bus_message_append(m, "t", uint64_t{7});
  });
  const auto read = read_nm_applied(out.get());
  REQUIRE(read);
  CHECK(nm_says(*read, wish));
  REQUIRE(sd_bus_message_rewind(out.get(), 1) >= 0);
  std::string keys;
  const auto walked = read_array(out.get(), "{sa{sv}}", [&](sd_bus_message* m) {
    (void)sd_bus_message_enter_container(m, 'e', "sa{sv}");
    keys += *read_text(m) + ": ";
    const auto done = read_dictionary(
        m, [&](sd_bus_message*, const std::string& key, const char*) -> Result<void> {
          keys += key + ' ';
          return {};
        });
    (void)sd_bus_message_exit_container(m);
    return done;
  });
  CHECK(walked);
  CHECK(keys ==
        "connection: id wireguard: listen-port ipv4: address-data method dns dns-search "
        "dns-priority route-metric ipv6: method ");
}

TEST_CASE("a connection that is not one is refused") {
  const auto m = maker.make([](sd_bus_message* to) {
    return sd_bus_message_append(to, "a{sv}", 1, "ipv4", "s", "x");
  });
  CHECK_FALSE(read_nm_applied(m.get()));
  const auto none = maker.make(
      [](sd_bus_message* to) { return sd_bus_message_append(to, "a{sa{sv}}", 0); });
  CHECK_FALSE(read_nm_applied(none.get()));
}

TEST_CASE("without split DNS ours is first and the host's own stay in the list") {
  const auto in = maker.make(connection);
  const auto wish = nm_wish(host_dns(), *read_nm_applied(in.get()), false);
  CHECK(wish.v4.priority == 1);
  NmDnsManager manager{.mode = "default", .rc_manager = "symlink"};
  manager.entries = {
      {.servers = {"100.64.0.1"},
       .domains = {"~corp.example", "s.example"},
       .interface = "wt0",
       .priority = 1},
      {.servers = {"192.0.2.53", "fe80::1%gone0", "fe80::1%lo", "127.0.0.53"},
       .interface = "eth0",
       .priority = 100},
      {.servers = {"10.0.0.53"}, .interface = "tun7", .vpn = true}};
  CHECK_FALSE(nm_splits(manager.mode));
  CHECK(nm_obstacle(manager, wish, "wt0").empty());
  const auto originals = nm_originals(manager, "wt0", host_dns().servers);
  CHECK(originals.servers ==
        std::vector{at("192.0.2.53:53"), Endpoint{*Address::parse("fe80::1"), 53, 1}});
  CHECK(originals.left_out == 2);
  manager.entries[2].priority = -50;
  CHECK(nm_obstacle(manager, wish, "wt0") ==
        "the connection of tun7 has dns-priority -50, which keeps ours out");
  manager.entries.erase(manager.entries.begin() + 1);
  CHECK(nm_originals(manager, "wt0", {}).servers == std::vector{at("10.0.0.53:53")});
  manager.rc_manager = "unmanaged";
  CHECK(nm_obstacle(manager, wish, "wt0") ==
        "NetworkManager is configured to leave resolv.conf alone");
}

TEST_CASE("a note brings back what was there, and foreign text cannot break it") {
  const NmNote note{"wt0",
                    {.servers = {"192.168.0.1"}, .search = {"a.example"}, .priority = -5},
                    {.servers = {"2001:db8::53", "x y", "a|b"}, .search = {"l\nm"}}};
  CHECK(note.text() == "networkManager wt0 4|-5|192.168.0.1|a.example 6|0|2001:db8::53|");
  const auto read = NmNote::parse(note.text());
  REQUIRE(read);
  CHECK(read->v4 == note.v4);
  CHECK(read->v6.servers == std::vector<std::string>{"2001:db8::53"});
  for (const char* bad : {"", "networkManager", "networkManager wt0 4|0|| 4|0||",
                          "systemd 5 wt0", "networkManager wt0 4|x|| 6|0||"})
    CHECK_FALSE(NmNote::parse(bad));
}
