// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/name.hh"

#include <catch2/catch.hpp>

using namespace wigeon;

TEST_CASE("a domain name is lower case and has no final dot") {
  CHECK(DomainName::parse("A.Example.COM.")->text() == "a.example.com");
  CHECK(DomainName::parse("*._tcp.example.com")->text() == "*._tcp.example.com");
  CHECK(DomainName::parse("a.example.com")->parent().text() == "example.com");
  CHECK(DomainName::parse("host")->parent().text() == "host");
}

TEST_CASE("names with empty, long or unprintable labels are refused") {
  const std::string label(63, 'a');
  CHECK(DomainName::parse(label + ".x"));
  CHECK_FALSE(DomainName::parse(label + "a.x"));
  const std::string longest =
      label + "." + label + "." + label + "." + std::string(61, 'b');
  CHECK(DomainName::parse(longest));
  CHECK(DomainName::parse(longest + "."));
  CHECK_FALSE(DomainName::parse(longest + "b"));
  for (const std::string_view bad :
       {"", ".", "..", ".a", "a..b", "a b", "a\n", "ä.example", "a\x7f"})
    CHECK_FALSE(DomainName::parse(bad));
  CHECK_FALSE(DomainName::parse(std::string_view("a\0b", 3)));
}

TEST_CASE("interface names follow the kernel's rule") {
  for (const std::string_view good : {"wt0", "a", "wg-site.1", "fifteen-bytes-x"})
    CHECK(check_interface_name(good));
  for (const std::string_view bad : {"", ".", "..", "sixteen-bytes-xx", "a/b", "a b",
                                     "eth0:1", "wt%d", "wt\n", "w\xc3\xa4"})
    CHECK_FALSE(check_interface_name(bad));
}
