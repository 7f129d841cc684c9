// SPDX-License-Identifier: GPL-2.0-or-later
// What each line of our table does to packets.
#include <atomic>
#include <thread>

#include "agent/model/nft_ruleset.hh"
#include "tests/netns/nft_hosts.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

constexpr auto kTcp = wigeon::Protocol::tcp, kUdp = wigeon::Protocol::udp;

Prefix prefix(std::string_view text) { return *Prefix::parse(text); }
Address address(std::string_view text) { return *Address::parse(text); }

NftTable table() {
  return {.link = "wt0",
          .overlay = {prefix("100.64.0.0/16"), prefix("fd00:77::/64")},
          .own = {address("100.64.0.1"), address("fd00:77::1")}};
}

// The source that the server at `to` sees of a datagram; "" when it does not arrive.
std::string source_at(const Host& from, const std::string& source, const Host& server,
                      const std::string& to, const std::string& at = "") {
  const auto s = server.server(at.empty() ? to : at, SOCK_DGRAM);
  const auto c = from.server(source, SOCK_DGRAM);
  send_to(c.get(), to);
  const auto seen = received(s.get(), kNeverArrives);
  return seen ? seen->address.text() : "";
}

}  // namespace

TEST_CASE("overlay addresses that arrive elsewhere than on the link are dropped") {
  const Hosts h;
  auto nft = nftables();
  run("ip -n lan address add 100.64.0.77/32 dev lo");
  run("ip -n lan address add fd00:77::77/128 dev lo nodad");
  run("ip -n lan route add 100.64.0.1/32 via 192.168.7.1");
  const auto spoofed = [&] {
    return source_at(*h.lan, "100.64.0.77:0", *h.router, "192.168.7.1:4000");
  };
  const auto spoofed_v6 = [&] {
    return source_at(*h.lan, "[fd00:77::77]:0", *h.router, "[fd00:7::1]:4000");
  };
  const auto weak_host = [&] {
    return source_at(*h.lan, "192.168.7.2:0", *h.router, "100.64.0.1:4000");
  };
  // A neighbour that is not known yet would be asked for with the spoofed address.
  REQUIRE(source_at(*h.lan, "[fd00:7::2]:0", *h.router, "[fd00:7::1]:4000") ==
          "fd00:7::2");
  REQUIRE(spoofed() == "100.64.0.77");
  REQUIRE(spoofed_v6() == "fd00:77::77");
  REQUIRE(weak_host() == "192.168.7.2");

  load(nft, ruleset(table()));
  CHECK(spoofed().empty());
  CHECK(spoofed_v6().empty());
  CHECK(weak_host().empty());
  CHECK(source_at(*h.lan, "192.168.7.2:0", *h.router, "192.168.7.1:4000") ==
        "192.168.7.2");
  CHECK(source_at(*h.peer, "100.64.0.9:0", *h.router, "100.64.0.1:4000") == "100.64.0.9");
  CHECK(source_at(*h.router, "100.64.0.1:0", *h.router, "100.64.0.1:4000") ==
        "100.64.0.1");
  CHECK(source_at(*h.router, "127.0.0.1:0", *h.router, "127.0.0.1:4000") == "127.0.0.1");
  CHECK(source_at(*h.router, "[fd00:77::1]:0", *h.router, "[fd00:77::1]:4000") ==
        "fd00:77::1");
}

TEST_CASE("those who may ask our resolver reach port 53 of our address, and no other") {
  const Hosts h;
  auto nft = nftables();
  auto t = table();
  t.dns_clients = {prefix("192.168.7.0/24")};
  load(nft, ruleset(t));
  run("ip -n lan route add 100.64.0.1/32 via 192.168.7.1");
  CHECK(source_at(*h.lan, "192.168.7.2:0", *h.router, "100.64.0.1:53") == "192.168.7.2");
  CHECK(source_at(*h.lan, "192.168.7.2:0", *h.router, "100.64.0.1:54").empty());
  CHECK(source_at(*h.lan, "10.1.0.1:0", *h.router, "100.64.0.1:53").empty());
}

TEST_CASE("what the link brings is forwarded to routed networks only") {
  const Hosts h;
  auto nft = nftables();
  const auto reach = [&](const std::string& to) {
    return source_at(*h.peer, "100.64.0.9:0", *h.lan, to + ":4000");
  };
  REQUIRE(reach("10.1.0.1") == "100.64.0.9");  // the kernel would

  auto t = table();
  load(nft, ruleset(t));
  CHECK(reach("10.1.0.1").empty());

  t.routed = {{prefix("10.1.0.0/16"), false}, {prefix("10.2.0.0/16"), true}};
  load(nft, ruleset(t));
  CHECK(reach("10.1.0.1") == "100.64.0.9");
  CHECK(reach("10.2.0.1") == "192.168.7.1");
  CHECK(reach("192.168.7.2").empty());

  t.routed = {{prefix("fd00:7::/64"), true}};
  load(nft, ruleset(t));
  CHECK(source_at(*h.peer, "[fd00:77::9]:0", *h.lan, "[fd00:7::2]:4000") == "fd00:7::1");
}

TEST_CASE("an interface opened for the link is no way to others") {
  const Hosts h;
  auto nft = nftables();
  const auto across = [&] {
    return source_at(*h.lan, "192.168.7.2:0", *h.net, "203.0.113.5:4000");
  };
  auto t = table();
  load(nft, ruleset(t));
  REQUIRE(across() == "192.168.7.2");  // the kernel would
  t.opened_v4 = {"eth0", "eth1"};
  t.routed = {{prefix("192.168.7.0/24"), false}};
  load(nft, ruleset(t));
  CHECK(across().empty());
  // What the link brings is answered all the same.
  CHECK(source_at(*h.peer, "100.64.0.9:0", *h.lan, "192.168.7.2:4000") == "100.64.0.9");
  const auto listener = h.lan->server("192.168.7.2:8080", SOCK_STREAM);
  CHECK(connected(*h.peer, "192.168.7.2:8080", listener.get(), kArrives));
}

TEST_CASE(
    "a route taken away ends what runs over it, and answers pass while it is there") {
  const Hosts h;
  auto nft = nftables();
  auto t = table();
  t.routed = {{prefix("10.1.0.0/16"), false}};
  load(nft, ruleset(t));
  const auto listener = h.lan->server("10.1.0.1:80", SOCK_STREAM);
  auto c = connected(*h.peer, "10.1.0.1:80", listener.get(), kArrives);
  REQUIRE(c);
  REQUIRE(::send(c->server.get(), "x", 1, 0) == 1);
  CHECK(ready(c->client.get(), POLLIN, kArrives));

  t.routed.clear();
  load(nft, ruleset(t));
  REQUIRE(::send(c->client.get(), "x", 1, 0) == 1);
  CHECK_FALSE(ready(c->server.get(), POLLIN, kNeverArrives));
}

TEST_CASE("who opens a connection into the overlay from here gets its answers") {
  const Hosts h;
  auto nft = nftables();
  load(nft, ruleset(table()));
  const auto listener = h.peer->server("100.64.0.9:80", SOCK_STREAM);
  const auto c = connected(*h.lan, "100.64.0.9:80", listener.get(), kArrives);
  REQUIRE(c);
  CHECK(c->seen.address.text() == "192.168.7.2");
}

TEST_CASE("an exit node leaves other routes as they are and private networks shut") {
  const Hosts h;
  auto nft = nftables();
  auto t = table();
  t.routed = {{prefix("0.0.0.0/0"), true}, {prefix("10.1.0.0/16"), false}};
  load(nft, ruleset(t));
  const auto at = [&](const Host& server, const std::string& to) {
    return source_at(*h.peer, "100.64.0.9:0", server, to + ":4000");
  };
  CHECK(at(*h.net, "203.0.113.5") == "198.51.100.1");
  CHECK(at(*h.lan, "10.1.0.1") == "100.64.0.9");
  CHECK(at(*h.net, "10.9.0.1").empty());
  CHECK(at(*h.lan, "10.2.0.1").empty());
  CHECK(at(*h.lan, "192.168.7.2").empty());

  t.routed.push_back({prefix("10.0.0.0/8"), true});
  load(nft, ruleset(t));
  CHECK(at(*h.net, "10.9.0.1") == "198.51.100.1");
  CHECK(at(*h.lan, "10.1.0.1") == "100.64.0.9");
}

TEST_CASE("forwarded TCP is made to fit the link, both ways") {
  const Hosts h;
  auto nft = nftables();
  auto t = table();
  t.routed = {{prefix("10.1.0.0/16"), false}};
  const auto in_lan = h.lan->server("10.1.0.1:80", SOCK_STREAM);
  const auto at_peer = h.peer->server("100.64.0.9:80", SOCK_STREAM);
  const auto mss_in_lan = [&] {
    return connected(*h.peer, "10.1.0.1:80", in_lan.get(), kArrives).value().server_mss();
  };
  const auto mss_at_peer = [&] {
    return connected(*h.lan, "100.64.0.9:80", at_peer.get(), kArrives)
        .value()
        .server_mss();
  };
  constexpr int kTimestamps = 12;
  REQUIRE(mss_in_lan() == 1500 - 40 - kTimestamps);
  REQUIRE(mss_at_peer() == 1500 - 40 - kTimestamps);
  load(nft, ruleset(t));
  CHECK(mss_in_lan() == 1280 - 40 - kTimestamps);
  CHECK(mss_at_peer() == 1280 - 40 - kTimestamps);
}

TEST_CASE("ports that are forwarded from elsewhere lead into the overlay, n-th to n-th") {
  const Hosts h;
  auto nft = nftables();
  auto t = table();
  const auto peer = address("100.64.0.9");
  t.dnat = {{kTcp, {80, 80}, peer, {8080, 8080}},
            {kTcp, {443, 443}, peer, {443, 443}},
            {kUdp, {5000, 5010}, peer, {6000, 6010}},
            {kUdp, {7000, 7010}, peer, {7000, 7010}},
            {kTcp, {80, 80}, address("fd00:77::9"), {8080, 8080}}};
  load(nft, ruleset(t));

  for (const auto& [at, to] :
       {std::pair<std::string, std::string>{"100.64.0.9:8080", "192.168.7.1:80"},
        std::pair<std::string, std::string>{"100.64.0.9:443", "192.168.7.1:443"},
        std::pair<std::string, std::string>{"[fd00:77::9]:8080", "[fd00:7::1]:80"}}) {
    CAPTURE(at);
    const auto listener = h.peer->server(at, SOCK_STREAM);
    const auto c = connected(*h.lan, to, listener.get(), kArrives);
    REQUIRE(c);
    // As this host, so that the answer comes back here whatever the target's routes.
    CHECK((c->seen.address.text() == "100.64.0.1" ||
           c->seen.address.text() == "fd00:77::1"));
  }
  const auto through = [&](int asked, int reached) {
    return source_at(*h.net, "203.0.113.5:0", *h.peer,
                     "198.51.100.1:" + std::to_string(asked),
                     "100.64.0.9:" + std::to_string(reached));
  };
  for (const int n : {0, 3, 10}) CHECK(through(5000 + n, 6000 + n) == "100.64.0.1");
  CHECK(through(7004, 7004) == "100.64.0.1");
  CHECK(through(5011, 6011).empty());
}

TEST_CASE("a port that Docker publishes is reached at our overlay address, unmasked") {
  const Hosts h;
  auto nft = nftables();
  load(nft, R"(table ip nat {
    chain PREROUTING {
      type nat hook prerouting priority dstnat; policy accept;
      fib daddr type local tcp dport 8080 dnat to 192.168.7.2:80
    }
  })");
  auto t = table();
  t.dnat = {{kTcp, {8080, 8080}, address("100.64.0.9"), {80, 80}}};
  load(nft, ruleset(t));
  const auto listener = h.lan->server("192.168.7.2:80", SOCK_STREAM);
  const auto c = connected(*h.peer, "100.64.0.1:8080", listener.get(), kArrives);
  REQUIRE(c);
  CHECK(c->seen.address.text() == "100.64.0.9");
}

TEST_CASE("in a full tunnel replies of a published port leave by where they came in") {
  const Hosts h;
  auto nft = nftables();
  run("ip rule add pref 105 lookup main suppress_prefixlength 0");
  run("ip rule add pref 110 not fwmark 0x1bd00/0x1ff00 lookup 7120");
  run("ip route add default via 100.64.0.9 dev wt0 table 7120");
  // A client that only a default route leads to.
  run("ip -n net route change 198.51.100.0/24 dev way src 203.0.113.5");
  load(nft, R"(table ip nat {
    chain PREROUTING {
      type nat hook prerouting priority dstnat; policy accept;
      iifname "eth1" tcp dport 8080 dnat to 192.168.7.2:80
    }
  })");
  const auto listener = h.lan->server("192.168.7.2:80", SOCK_STREAM);
  auto t = table();
  load(nft, ruleset(t));
  REQUIRE_FALSE(connected(*h.net, "198.51.100.1:8080", listener.get(), kNeverArrives));
  t.reply_mark = ReplyMark{0x1bd00, 0x1ff00};
  load(nft, ruleset(t));
  CHECK(connected(*h.net, "198.51.100.1:8080", listener.get(), kArrives));

  // Bits of others in both marks stay.
  load(nft, R"(table inet others {
    set seen { type mark; flags dynamic; size 64; }
    chain before { type filter hook prerouting priority -160; policy accept;
      ct state new ct mark set 0x40000001
      meta mark set 0x80000002
    }
    chain after { type filter hook forward priority 0; policy accept;
      iifname "eth0" ct direction reply ct mark 0x4001bd01 add @seen { meta mark }
    }
  })");
  CHECK(connected(*h.net, "198.51.100.1:8080", listener.get(), kArrives));
  CHECK(output_of("nft list set inet others seen").contains("0x8001bd02"));
  run("ip rule del pref 105; ip rule del pref 110");
}

TEST_CASE("no packet finds the table missing while it is replaced") {
  const Hosts h;
  auto nft = nftables();
  run("ip -n lan address add 100.64.0.77/32 dev lo");
  const auto server = h.router->server("192.168.7.1:4000", SOCK_DGRAM);
  const auto spoofer = h.lan->server("100.64.0.77:0", SOCK_DGRAM);
  auto t = table();
  load(nft, ruleset(t));
  std::atomic<bool> enough = false;
  std::atomic<uint64_t> sent = 0;
  std::thread stream([&] {
    while (!enough) {
      send_to(spoofer.get(), "192.168.7.1:4000");
      ++sent;
    }
  });
  int replaced = 0;
  for (int i = 0; i < 200; ++i) {
    t.routed = {{prefix(i % 2 == 0 ? "10.1.0.0/16" : "10.2.0.0/16"), i % 3 == 0}};
    replaced += nft.apply(ruleset(t)) ? 1 : 0;
  }
  enough = true;
  stream.join();
  CHECK(replaced == 200);
  CHECK(sent > 10'000);
  CHECK_FALSE(received(server.get(), kNeverArrives));
  // The stream itself was good: without the table it arrives.
  REQUIRE(nft.delete_table("inet", "wigeon"));
  send_to(spoofer.get(), "192.168.7.1:4000");
  CHECK(received(server.get(), kArrives));
}

TEST_CASE("odd names of links and whole families as routes are taken") {
  const Hosts h;
  auto nft = nftables();
  for (const auto* name : {"wt0.100", "wt*", "a\\b", "fifteen-letters", "wt\"0"}) {
    CAPTURE(name);
    auto t = table();
    t.link = name;
    t.routed = {{prefix("0.0.0.0/0"), true},
                {prefix("::/0"), true},
                {prefix("10.0.0.0/8"), false},
                {prefix("10.1.2.3/32"), true}};
    t.reply_mark = ReplyMark{0x1bd00, 0x1ff00};
    load(nft, ruleset(t));
  }
}

TEST_CASE("a link whose name ends in a star is that one link") {
  const Hosts h;
  auto nft = nftables();
  auto t = table();
  t.link = "eth*";
  load(nft, ruleset(t));
  run("ip -n lan address add 100.64.0.77/32 dev lo");
  CHECK(source_at(*h.lan, "100.64.0.77:0", *h.router, "192.168.7.1:4000").empty());
}
