// SPDX-License-Identifier: GPL-2.0-or-later
// Queries for our address at port 53 come by sk_lookup to sockets on loopback at another
// port: what is answered, from where, and to whom.
#include "tests/netns/dns_steered.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

constexpr const char* kOwn[] = {"@100.64.0.1 ", "@fd00::1 "};
constexpr const char* kTransports[] = {"+notcp ", "+tcp ", "+notcp +noedns "};
const std::string kAlpha = "+short alpha.wigeon.test";
const std::string kAddress = "100.64.0.1\n";

std::string here(const std::string& what) {
  return run("dig +tries=1 +time=6 " + what + " 2>&1");
}

bool answers(const OtherHost& host) {
  bool all = true;
  for (const char* own : kOwn)
    for (const char* transport : {"+notcp ", "+tcp "})
      all = all && host.dig(std::string(own) + transport + kAlpha) == kAddress;
  return all;
}
bool answers_nothing(const OtherHost& host) {
  bool none = true;
  for (const char* own : kOwn)
    for (const char* transport : {"+notcp ", "+tcp "})
      none = none && host.dig(std::string(own) + transport + kAlpha).find("\n100.64") ==
                         std::string::npos;
  return none;
}

}  // namespace

TEST_CASE("steered queries are answered from port 53, own names and foreign ones") {
  SteeredResolver s;
  const Dnsmasq dnsmasq;
  for (const char* own : kOwn) {
    for (const char* transport : kTransports) {
      const auto dig = [&](const std::string& what) {
        return here(std::string(own) + transport + "+short " + what);
      };
      CHECK(dig("alpha.wigeon.test") == kAddress);
      CHECK(dig("alpha.wigeon.test AAAA") == "fd00::1\n");
      CHECK(dig("x.up.test") == "203.0.113.1\n");
      CHECK(dig("abroad.wigeon.test") == "x.up.test.\n203.0.113.1\n");
      CHECK(dig("nothing.wigeon.test") == "");
    }
  }
  const auto [queries, refused] = s.counts();
  CHECK(queries == 30);
  CHECK(refused == 0);
  // Nobody holds the port: another server may.
  CHECK(open_listeners(s.hosts.own(), 53));
}

TEST_CASE("who asks the loopback port itself is answered from there") {
  SteeredResolver s;
  CHECK(s.r.dig("+notcp " + kAlpha) == kAddress);
  CHECK(s.r.dig("+notcp " + kAlpha, "::1") == kAddress);
  CHECK(s.r.dig("+tcp " + kAlpha) == kAddress);
}

TEST_CASE("hosts that nobody allowed get no reply of any kind to steered queries") {
  SteeredResolver s;
  CHECK(answers_nothing(s.hosts.peer));
  CHECK(answers_nothing(s.hosts.container));
  const auto [queries, refused] = s.counts();
  CHECK(queries == 0);
  CHECK(refused == 8);
  CHECK(here("@100.64.0.1 " + kAlpha) == kAddress);
}

TEST_CASE("allowed prefixes are answered, over the overlay and from other namespaces") {
  auto c = steered_config(Hosts::get());
  c.interfaces.clear();  // as the daemon does when there are such prefixes
  c.allow_from = {*Prefix::parse("172.31.0.0/24"), *Prefix::parse("fd31::/64")};
  SteeredResolver s(c);
  CHECK(answers(s.hosts.container));
  CHECK(answers_nothing(s.hosts.peer));
  c.allow_from = {*Prefix::parse("100.64.0.0/10"), *Prefix::parse("fd00::/64")};
  c.interfaces = {::if_nametoindex("wt0")};
  REQUIRE(s.r.resolver->configure(*encode_config(c)));
  s.r.until([&] { return s.r.applied.size() == 2; });
  CHECK(answers(s.hosts.peer));
  CHECK(answers_nothing(s.hosts.container));
}

TEST_CASE("queries by another interface are refused though their source is allowed") {
  auto c = steered_config(Hosts::get());
  c.allow_from = {*Prefix::parse("172.31.0.0/24"), *Prefix::parse("fd31::/64")};
  SteeredResolver s(c);
  CHECK(answers_nothing(s.hosts.container));
  CHECK(s.counts().second == 4);
}

TEST_CASE("an answer too large for a datagram comes truncated, and whole over TCP") {
  auto c = steered_config(Hosts::get());
  for (int i = 0; i < 120; ++i)
    c.zones[0].records.push_back(
        {"big.wigeon.test", 16, 60, std::to_string(1000 + i) + std::string(246, 'x')});
  SteeredResolver s(c);
  for (const char* own : kOwn) {
    const auto cut =
        here(own + std::string("+bufsize=65535 +ignore big.wigeon.test TXT"));
    CHECK(cut.find("flags: qr aa tc rd ra") != std::string::npos);
    CHECK(here(own + std::string("+bufsize=65535 +short big.wigeon.test TXT")).size() ==
          120 * 253);
  }
}

TEST_CASE("an answer too large for the way to the client comes truncated") {
  auto& hosts = Hosts::get();
  // An address of this host to which packets have 600 bytes at most.
  must("ip route replace local 100.64.0.9 dev lo table local mtu 600");
  auto c = steered_config(hosts);
  c.own_addresses.push_back(*Address::parse("100.64.0.9"));
  SteeredResolver s(c);
  const Dnsmasq dnsmasq;
  const std::string cut = "flags: qr tc rd ra";
  const auto ask = [&](const std::string& what) {
    return here("@100.64.0.1 +bufsize=1232 " + what);
  };
  // The first answer comes later, the next out of the cache.
  for (int i = 0; i < 2; ++i)
    CHECK(ask("-b 100.64.0.9 +notcp +ignore middle.up.test TXT").find(cut) !=
          std::string::npos);
  CHECK(ask("+notcp +ignore middle.up.test TXT").find(cut) == std::string::npos);
  CHECK(ask("-b 100.64.0.9 +short middle.up.test TXT").size() > 700);
  CHECK(ask("-b 100.64.0.9 +notcp " + kAlpha) == kAddress);
  CHECK(s.statistics().truncated >= 3);
  must("ip route del local 100.64.0.9 dev lo table local");
}

TEST_CASE("when the resolver dies, port 53 is anybody else's at once") {
  auto s = std::make_unique<SteeredResolver>();
  CHECK(here("@100.64.0.1 " + kAlpha) == kAddress);
  ::kill(s->r.resolver->pid(), SIGKILL);
  s->r.until([&] { return !s->r.exits.empty(); });
  const auto other = *open_listeners(s->hosts.own(), 53);
  const auto out = here("@100.64.0.1 +time=1 +notcp " + kAlpha);
  CHECK(out.find("timed out") != std::string::npos);  // it does not answer, but got it
  char byte;
  CHECK(::recv(other[0].fd.get(), &byte, 1, MSG_DONTWAIT) == 1);
}
