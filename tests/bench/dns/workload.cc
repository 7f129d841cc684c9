// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/dns/workload.hh"

#include <fmt/format.h>

#include <iterator>
#include <random>

#include "dns/message.hh"

namespace wigeon::bench {

using wigeon::dns::Name;

std::string peer_name(size_t i) { return fmt::format("peer{:06}.{}", i, kZone); }

Address peer_address(size_t i, unsigned version) {
  return Address::v4(0x64400001 + (version << 20) + static_cast<uint32_t>(i));
}

std::string hosts_file(size_t names) {
  std::string t;
  for (size_t i = 0; i < names; ++i)
    fmt::format_to(std::back_inserter(t), "{} {}\n", peer_address(i).text(),
                   peer_name(i));
  return t;
}

std::string zone_file(size_t names) {
  std::string t = fmt::format(
      "$ORIGIN {0}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 30\n@ NS ns\n"
      "ns A 192.0.2.1\n",
      kZone);
  for (size_t i = 0; i < names; ++i)
    fmt::format_to(std::back_inserter(t), "peer{:06} A {}\n", i, peer_address(i).text());
  return t;
}

std::string unbound_records(size_t names) {
  std::string t = fmt::format("server:\nlocal-zone: \"{}.\" static\n", kZone);
  for (size_t i = 0; i < names; ++i)
    fmt::format_to(std::back_inserter(t), "local-data: \"{}. 300 A {}\"\n", peer_name(i),
                   peer_address(i).text());
  return t;
}

wigeon::dns::ResolverConfig our_config(size_t names, unsigned version) {
  wigeon::dns::ResolverConfig c{.zones = {{.domain = kZone}},
                                .overlay = {*Prefix::parse("100.64.0.0/10")}};
  c.zones[0].records.reserve(names);
  for (size_t i = 0; i < names; ++i)
    c.zones[0].records.push_back(
        {peer_name(i), wigeon::dns::type::kA, 300, peer_address(i, version).text()});
  return c;
}

void Questions::add(const std::string& name, uint16_t type) {
  const Name n = *Name::parse(name);
  constexpr uint8_t kHeader[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  bytes_.insert(bytes_.end(), std::begin(kHeader), std::end(kHeader));
  bytes_.insert(bytes_.end(), n.wire().begin(), n.wire().end());
  for (const int b : {type >> 8, type & 255, 0, 1})
    bytes_.push_back(static_cast<uint8_t>(b));
  starts_.push_back(bytes_.size());
}

Questions random_peers(size_t names) {
  Questions q;
  std::minstd_rand random(7);
  for (size_t i = 0; i < kQuestions; ++i) q.add(peer_name(random() % names));
  return q;
}

Questions missing_peers(size_t names) {
  Questions q;
  std::minstd_rand random(7);
  for (size_t i = 0; i < kQuestions; ++i)
    q.add(fmt::format("none{:06}.{}", random() % names, kZone));
  return q;
}

Questions fresh_names() {
  Questions q;
  q.fresh = true;
  for (size_t i = 0; i < 256; ++i) q.add("0000000000.example.net");
  return q;
}

Questions few_names() {
  Questions q;
  for (size_t i = 0; i < 1000; ++i) q.add(fmt::format("name{}.example.net", i));
  return q;
}

}  // namespace wigeon::bench
