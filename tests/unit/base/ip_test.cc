// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/ip.hh"

#include <arpa/inet.h>

#include <catch2/catch.hpp>

using namespace wigeon;

TEST_CASE("addresses parse and print in the kernel's form") {
  CHECK(Address::parse("100.64.0.5")->text() == "100.64.0.5");
  CHECK(Address::parse("FD00:0::7")->text() == "fd00::7");
  CHECK_FALSE(Address::parse("100.64.0"));
  CHECK_FALSE(Address::parse("fe80::1%eth0"));
  CHECK_FALSE(Address::parse(""));
  CHECK_FALSE(Address::parse(std::string_view("1.2.3.4\0x", 9)));
  CHECK_FALSE(Address::from_bytes(std::vector<uint8_t>(5)));
}

TEST_CASE("IPv4 addresses are what inet_pton(3) takes") {
  for (const char* text :
       {"0.0.0.0",   "255.255.255.255", "1.2.3.4",    "256.1.1.1", "1.2.3",
        "1.2.3.4.5", "1.2.3.",          ".1.2.3",     "1..2.3",    "01.2.3.4",
        "1.2.3.00",  "1.2.3.0",         "1.2.3.1000", "1.2.3.4 ",  " 1.2.3.4",
        "+1.2.3.4",  "1.2.3.0x1",       "1.2.3.-1",   "16909060",  ""}) {
    INFO(text);
    in_addr a{};
    const bool good = ::inet_pton(AF_INET, text, &a) == 1;
    const auto ours = Address::parse(text);
    REQUIRE(ours.has_value() == good);
    if (good) CHECK(ours->text() == text);
    if (good) CHECK(*ours == Address::v4(ntohl(a.s_addr)));
  }
}

TEST_CASE("a prefix has no host bits, an interface address keeps them") {
  CHECK(Prefix::parse("10.1.2.3/8")->text() == "10.0.0.0/8");
  CHECK(Prefix::parse("fd00:1:2:3::/33")->text() == "fd00:1::/33");
  CHECK(Prefix::parse("0.0.0.0/0")->text() == "0.0.0.0/0");
  CHECK(Prefix::parse("100.64.0.7")->text() == "100.64.0.7/32");
  CHECK(InterfaceAddress::parse("100.64.0.5/16")->text() == "100.64.0.5/16");
  CHECK(InterfaceAddress::parse("100.64.0.5/16")->network().text() == "100.64.0.0/16");
  CHECK(Prefix::parse("10.0.0.0/33").error().code == ERANGE);
  CHECK_FALSE(Prefix::parse("10.0.0.0/"));
  CHECK_FALSE(Prefix::parse("10.0.0.0/-1"));
  CHECK_FALSE(Prefix::parse("10.0.0.0/+8"));
}

TEST_CASE("prefixes contain addresses of their own family only") {
  const auto p = *Prefix::parse("100.64.0.0/10");
  CHECK(p.contains(*Address::parse("100.127.255.255")));
  CHECK_FALSE(p.contains(*Address::parse("100.128.0.0")));
  CHECK_FALSE(Prefix::parse("0.0.0.0/0")->contains(*Address::parse("::1")));
  CHECK(p.overlaps(*Prefix::parse("100.64.0.5/32")));
  CHECK(Prefix::parse("100.64.0.5/32")->overlaps(p));
  CHECK_FALSE(p.overlaps(*Prefix::parse("10.0.0.0/8")));
}

TEST_CASE("endpoints need a port, and brackets for IPv6 only") {
  CHECK(Endpoint::parse("192.0.2.1:51820")->text() == "192.0.2.1:51820");
  CHECK(Endpoint::parse("[2001:db8::1]:51820")->text() == "[2001:db8::1]:51820");
  CHECK_FALSE(Endpoint::parse("[192.0.2.1]:51820"));
  CHECK_FALSE(Endpoint::parse("2001:db8::1:51820"));
  CHECK_FALSE(Endpoint::parse("192.0.2.1:0"));
  CHECK_FALSE(Endpoint::parse("192.0.2.1:65536"));
  CHECK_FALSE(Endpoint::parse("192.0.2.1:666666666"));
  CHECK_FALSE(Endpoint::parse("192.0.2.1"));
  CHECK(HostPort::parse("vpn.example.com:51820")->host == "vpn.example.com");
  CHECK_FALSE(HostPort::parse(":51820"));
}

TEST_CASE("socket addresses convert both ways") {
  for (const char* text : {"192.0.2.1:51820", "[2001:db8::1]:53"}) {
    sockaddr_storage ss;
    const auto e = *Endpoint::parse(text);
    const auto length = to_sockaddr(e, ss);
    CHECK(from_sockaddr(reinterpret_cast<sockaddr*>(&ss), length).value() == e);
    CHECK_FALSE(from_sockaddr(reinterpret_cast<sockaddr*>(&ss), 4));
  }
}

TEST_CASE("a link-local endpoint keeps its interface, another one has none") {
  sockaddr_storage ss;
  const Endpoint e{*Address::parse("fe80::1"), 53, 7};
  const auto length = to_sockaddr(e, ss);
  CHECK(from_sockaddr(reinterpret_cast<sockaddr*>(&ss), length).value() == e);
  CHECK(e.text() == "[fe80::1%7]:53");
  CHECK(e != Endpoint{e.address, 53, 8});
  auto& in6 = reinterpret_cast<sockaddr_in6&>(ss);
  in6.sin6_addr.s6_addr[1] = 0;
  CHECK(from_sockaddr(reinterpret_cast<sockaddr*>(&ss), length)->scope == 0);
}

TEST_CASE("numbers are decimal, unsigned and bounded") {
  CHECK(*parse_number("65535", 65535) == 65535);
  CHECK(parse_number("65536", 65535).error().code == ERANGE);
  CHECK(parse_number("99999999999999999999", 65535).error().code == ERANGE);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x10", "1e3"})
    CHECK(parse_number(bad, 65535).error().code == EINVAL);
}
