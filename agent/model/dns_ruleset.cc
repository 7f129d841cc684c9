// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/dns_ruleset.hh"

#include <fmt/format.h>

#include <type_traits>

#include "agent/model/problem.hh"
#include "agent/model/shape.hh"

namespace wigeon {
namespace {

constexpr size_t kMaxListed = 64;

struct ListedCounter {
  std::string name{};
  uint64_t packets = 0;
};
struct Item {
  ListedCounter counter{};
};
struct Listing {
  std::vector<Item> items{};
};

using json::field;

const json::Shape& shape_of(std::type_identity<ListedCounter>) {
  static const json::Shape s = json::open_shape({
      field<&ListedCounter::name>("name"),
      field<&ListedCounter::packets>("packets"),
  });
  return s;
}

const json::Shape& shape_of(std::type_identity<Item>) {
  static const json::Shape s = json::open_shape({field<&Item::counter>("counter")});
  return s;
}

const json::Shape& shape_of(std::type_identity<Listing>) {
  static const json::Shape s =
      json::open_shape({field<&Listing::items>("nftables", kMaxListed)});
  return s;
}

}  // namespace

std::string ruleset(const DnsRuleset& table) {
  std::string out = fmt::format(
      "add table inet {0}\ndelete table inet {0}\ntable inet {0} {{\n"
      "\tcounter redirected_udp {{ }}\n\tcounter redirected_tcp {{ }}\n",
      table.name);
  for (const std::string_view hook : {"output", "prerouting"}) {
    out += fmt::format(
        "\tchain {0} {{\n\t\ttype nat hook {0} priority -100; policy accept;\n", hook);
    if (!table.draining)
      for (const auto& e : table.resolver) {
        const std::string_view ip = e.address.family() == Family::v4 ? "ip" : "ip6";
        for (const std::string_view protocol : {"udp", "tcp"})
          out += fmt::format(
              "\t\t{0} daddr {1} {2} dport 53 counter name redirected_{2} dnat {0} to "
              "{3}\n",
              ip, e.address.text(), protocol, e.text());
      }
    out += "\t}\n";
  }
  return out + "}\n";
}

Result<std::map<std::string, uint64_t>> read_nft_counters(std::string_view text) {
  Listing listing;
  const auto problems =
      json::decode(text, "nft", shape_of(std::type_identity<Listing>{}), &listing);
  if (!problems.empty()) return fail(EBADMSG, problems.list.front().text());
  std::map<std::string, uint64_t> counters;
  for (auto& i : listing.items)
    if (!i.counter.name.empty()) counters[std::move(i.counter.name)] = i.counter.packets;
  return counters;
}

}  // namespace wigeon
