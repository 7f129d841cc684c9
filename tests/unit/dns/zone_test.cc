// SPDX-License-Identifier: GPL-2.0-or-later
// What conversations cannot show well: refusals, limits, memory. Look-ups are in
// tests/scenario.
#include "dns/zone.hh"

#include <catch2/catch.hpp>

#include "dns/message.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

std::string refusal(const std::vector<ZoneConfig>& zones,
                    const std::vector<Prefix>& overlay = {}) {
  auto built = Zones::build(zones, overlay);
  return built ? "built" : built.error().what;
}

ZoneConfig zone(std::vector<RecordConfig> records) {
  return {"corp.test", std::move(records)};
}

Zones::Found find(const Zones& zones, std::string_view name, uint16_t type = type::kA) {
  static Name asked;
  asked = Name::parse(name)->lowered();
  return zones.find(asked.wire(), type);
}

}  // namespace

TEST_CASE("a bad zone or record is refused by name") {
  CHECK(refusal({{"corp..test"}}) == "zone 'corp..test': a label is empty");
  CHECK(refusal({{"."}}) == "zone '.': the root cannot be a local zone");
  CHECK(refusal({{"corp.test"}, {"CORP.test."}}) == "zone 'CORP.test.' is there twice");
  CHECK(refusal({zone({{"a.corp.test", type::kA, 60, "100.64.0.1"},
                       {"b.corp.test", type::kA, 60, "100.64.0.256"}})}) ==
        "zone 'corp.test': record 2 (b.corp.test A): '100.64.0.256' is not an IPv4 "
        "address");
  CHECK(refusal({zone({{"a.other.test", type::kA, 60, "100.64.0.1"}})}) ==
        "zone 'corp.test': record 1 (a.other.test A): the name is not inside the zone");
  CHECK(refusal({zone({{"a.corp.test", type::kA, 1u << 31, "100.64.0.1"}})}) ==
        "zone 'corp.test': record 1 (a.corp.test A): the TTL is larger than 2147483647");
  CHECK(refusal({zone({{"a.corp.test", type::kCname, 60, "x."},
                       {"a.corp.test", type::kCname, 60, "y."}})}) ==
        "a.corp.test.: more than one CNAME record");
  CHECK(refusal({}, {*Prefix::parse("100.0.0.0/7")}) ==
        "overlay 100.0.0.0/7: shorter than 8 bits");
}

TEST_CASE("a set of records has a limit") {
  ZoneConfig z{"corp.test"};
  for (size_t i = 0; i < kMaxSetSize; ++i)
    z.records.push_back(
        {"a.corp.test", type::kA, 60, Address::v4(static_cast<uint32_t>(i)).text()});
  CHECK(refusal({z}) == "built");
  z.records.push_back({"a.corp.test", type::kA, 60, "9.9.9.9"});
  CHECK(refusal({z}) == "a.corp.test.: more than 1000 A records");
}

TEST_CASE("nothing is ours without zones") {
  const auto zones = *Zones::build({}, {});
  CHECK(find(*zones, "a.corp.test").kind == Zones::Found::Kind::outside);
  CHECK(find(*zones, ".").kind == Zones::Found::Kind::outside);
}

TEST_CASE("a configured reverse zone replaces the generated one") {
  const auto zones =
      *Zones::build({{"corp.test", {{"a.corp.test", type::kA, 60, "100.64.0.1"}}},
                     {"64.100.in-addr.arpa",
                      {{"2.0.64.100.in-addr.arpa", type::kPtr, 60, "b.corp.test"}}}},
                    {*Prefix::parse("100.64.0.0/16")});
  CHECK(find(*zones, "2.0.64.100.in-addr.arpa", type::kPtr).kind ==
        Zones::Found::Kind::set);
  CHECK(find(*zones, "1.0.64.100.in-addr.arpa", type::kPtr).kind ==
        Zones::Found::Kind::no_name);
}

TEST_CASE("IPv6 reverse names above an address exist") {
  const auto zones = *Zones::build(
      {{"corp.test", {{"a.corp.test", type::kAaaa, 60, "fd00:0:0:8000::f1"}}}},
      {*Prefix::parse("fd00::/46")});
  const std::string zone = "0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa";
  const auto kind = [&](const std::string& below) {
    return find(*zones, below + zone, type::kPtr).kind;
  };
  CHECK(kind("") == Zones::Found::Kind::no_data);
  CHECK(kind("0.0.0.8.") == Zones::Found::Kind::no_data);
  CHECK(kind("1.0.0.8.") == Zones::Found::Kind::no_name);
  CHECK(kind("7.") == Zones::Found::Kind::no_name);
  CHECK(kind("1.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.") == Zones::Found::Kind::set);
  // fd00::/46 rounded up to nibbles is four zones; fd00:0:4:: is outside it.
  CHECK(find(*zones, "4.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa").kind ==
        Zones::Found::Kind::outside);
}

TEST_CASE("names without data between zones exist") {
  const auto zones = *Zones::build({{"corp.test"}, {"dev.eu.corp.test"}}, {});
  CHECK(find(*zones, "eu.corp.test").kind == Zones::Found::Kind::no_data);
  CHECK(find(*zones, "us.corp.test").kind == Zones::Found::Kind::no_name);
  CHECK(find(*zones, "test").kind == Zones::Found::Kind::outside);
}

TEST_CASE("a name costs about eighty bytes, its reverse entry included") {
  ZoneConfig z{"netbird.cloud"};
  constexpr uint32_t kNames = 50'000;
  for (uint32_t i = 0; i < kNames; ++i)
    z.records.push_back({"peer" + std::to_string(100'000 + i) + ".netbird.cloud",
                         type::kA, 300, Address::v4(0x64400000u + i).text()});
  const auto zones = *Zones::build({z}, {*Prefix::parse("100.64.0.0/10")});
  CHECK(zones->name_count() == kNames + 1);
  CHECK(zones->memory() / kNames <= 85);
  for (const uint32_t i : {0u, 777u, kNames - 1}) {
    const auto found = find(*zones, z.records[i].name);
    REQUIRE(found.kind == Zones::Found::Kind::set);
    const auto reverse =
        find(*zones, Name::reverse(Address::v4(0x64400000u + i)).text(), type::kPtr);
    REQUIRE(reverse.kind == Zones::Found::Kind::set);
    reverse.set.each(
        0, [&](Bytes target) { CHECK(name_text(target) == z.records[i].name + "."); });
  }
}

TEST_CASE(
    "an overlay prefix is one reverse zone, or several where it ends within a label") {
  const auto zones = [](const char* prefix) {
    return reverse_zones(*Prefix::parse(prefix));
  };
  using List = std::vector<std::string>;
  CHECK(zones("100.64.0.0/16") == List{"64.100.in-addr.arpa"});
  CHECK(zones("192.0.2.128/26").size() == 64);
  const auto wide = zones("100.64.0.0/10");
  REQUIRE(wide.size() == 64);
  CHECK(wide.front() == "64.100.in-addr.arpa");
  CHECK(wide.back() == "127.100.in-addr.arpa");
  CHECK(zones("fd00:77::/64") == List{"0.0.0.0.0.0.0.0.7.7.0.0.0.0.d.f.ip6.arpa"});
  CHECK(zones("fd80::/10").empty());
  CHECK(zones("fd80::/18").size() == 4);
  CHECK(zones("10.0.0.0/7").empty());
}
