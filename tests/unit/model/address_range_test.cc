// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/address_range.hh"

#include <catch2/catch.hpp>
#include <random>

using namespace wigeon;

namespace {

Judged yes(std::string_view p) { return {*Prefix::parse(p), true}; }
Judged no(std::string_view p) { return {*Prefix::parse(p), false}; }

std::string ranges(std::vector<Judged> prefixes) {
  std::string text;
  for (const auto& r : wanted_ranges(std::move(prefixes)))
    text += (text.empty() ? "" : " ") + r.text();
  return text;
}

// The longest prefix that holds it, by looking at all of them.
bool wanted(const std::vector<Judged>& all, const Address& a) {
  const Judged* best = nullptr;
  for (const auto& j : all)
    if (j.prefix.contains(a) && (!best || j.prefix.bits() > best->prefix.bits()))
      best = &j;
  return best && best->wanted;
}

}  // namespace

TEST_CASE("the longest prefix decides, wherever it stands in the list") {
  CHECK(ranges({yes("10.0.0.0/8"), no("10.1.0.0/16")}) ==
        "10.0.0.0-10.0.255.255 10.2.0.0-10.255.255.255");
  CHECK(ranges({no("10.1.0.0/16"), yes("10.0.0.0/8"), yes("10.1.2.0/24")}) ==
        "10.0.0.0-10.0.255.255 10.1.2.0-10.1.2.255 10.2.0.0-10.255.255.255");
  CHECK(ranges({no("10.0.0.0/8"), yes("10.0.0.0/16"), yes("10.255.0.0/16")}) ==
        "10.0.0.0-10.0.255.255 10.255.0.0-10.255.255.255");
}

TEST_CASE("neighbours are one range and nothing overlaps") {
  CHECK(ranges({yes("10.0.0.0/9"), yes("10.128.0.0/9")}) == "10.0.0.0-10.255.255.255");
  CHECK(ranges({yes("10.0.0.0/8"), yes("10.1.0.0/16"), yes("10.1.0.0/24")}) ==
        "10.0.0.0-10.255.255.255");
  CHECK(ranges({}).empty());
  CHECK(ranges({no("10.0.0.0/8")}).empty());
  CHECK(ranges({yes("192.0.2.1/32")}) == "192.0.2.1");
}

TEST_CASE("the ends of a family are no harm") {
  CHECK(ranges({yes("0.0.0.0/0")}) == "0.0.0.0-255.255.255.255");
  CHECK(ranges({yes("0.0.0.0/0"), no("255.255.255.255/32"), no("0.0.0.0/32")}) ==
        "0.0.0.1-255.255.255.254");
  CHECK(ranges({no("0.0.0.0/0"), yes("255.0.0.0/8"), yes("255.255.0.0/16")}) ==
        "255.0.0.0-255.255.255.255");
  CHECK(ranges({yes("::/0"), no("ff00::/8")}) ==
        "::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST_CASE("for random prefixes every address is where its longest prefix says") {
  std::mt19937 random(7);  // NOLINT: repeatable on purpose
  const auto pick = [&](uint32_t n) {
    return std::uniform_int_distribution<uint32_t>(0, n - 1)(random);
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<Judged> all;
    for (uint32_t i = 0, n = 1 + pick(12); i < n; ++i) {
      // Within one /24 at either end of the address space, so that they nest.
      const uint32_t base = pick(2) ? 0xffffff00 : 0;
      const Judged j{*Prefix::make(Address::v4(base + pick(256)),
                                   static_cast<int>(pick(8) ? 24 + pick(9) : 0)),
                     pick(2) == 0};
      if (std::ranges::none_of(all,
                               [&](const Judged& o) { return o.prefix == j.prefix; }))
        all.push_back(j);
    }
    const auto found = wanted_ranges(all);
    for (size_t i = 1; i < found.size(); ++i)
      CHECK(*next(found[i - 1].last) < found[i].first);
    for (uint32_t low = 0; low < 512; ++low) {
      const auto a = Address::v4(low < 256 ? low : 0xffffff00 + (low - 256));
      const bool in = std::ranges::any_of(
          found, [&](const AddressRange& r) { return r.first <= a && a <= r.last; });
      if (in != wanted(all, a)) FAIL_CHECK(a.text() << " in round " << round);
    }
  }
}
