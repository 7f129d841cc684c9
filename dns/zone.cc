// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/zone.hh"

#include <arpa/inet.h>

#include <algorithm>

#include "dns/message.hh"
#include "dns/zone_layout.hh"

namespace wigeon::dns {
namespace {

template <class T>
T load(const uint8_t* at) {
  T v;
  std::memcpy(&v, at, sizeof v);
  return v;
}

// The name of the reverse zone that holds an overlay prefix' names ends at a whole octet
// or nibble: a prefix of 10 bits is 64 zones of 16 bits.
int zone_bits(const Prefix& overlay) {
  const int step = overlay.address().is_v4() ? 8 : 4;
  return (overlay.bits() + step - 1) / step * step;
}

// First and one past the last entry whose address is in the network.
template <class A>
std::pair<size_t, size_t> range_of(const std::vector<A>& sorted, A low, A high) {
  const auto first = std::lower_bound(sorted.begin(), sorted.end(), low);
  const auto last = std::upper_bound(first, sorted.end(), high);
  return {static_cast<size_t>(first - sorted.begin()),
          static_cast<size_t>(last - sorted.begin())};
}

}  // namespace

std::vector<std::string> reverse_zones(const Prefix& overlay) {
  const bool v4 = overlay.address().is_v4();
  if (overlay.bits() < (v4 ? kMinOverlayBits4 : kMinOverlayBits6)) return {};
  const int step = v4 ? 8 : 4, bits = zone_bits(overlay);
  std::vector<std::string> zones;
  std::vector<uint8_t> bytes(overlay.address().bytes().begin(),
                             overlay.address().bytes().end());
  for (int n = 0; n < 1 << (bits - overlay.bits()); ++n) {
    std::string zone = v4 ? "in-addr.arpa" : "ip6.arpa";
    for (int at = 0; at < bits; at += step) {
      unsigned label = bytes[static_cast<size_t>(at / 8)];
      if (!v4) label = at % 8 ? label & 15 : label >> 4;
      if (at + step == bits) label |= static_cast<unsigned>(n);
      zone = (v4 ? std::to_string(label) : std::string(1, "0123456789abcdef"[label])) +
             '.' + zone;
    }
    zones.push_back(std::move(zone));
  }
  return zones;
}

uint32_t Zones::node_of(Bytes name) const {
  if (table_.empty()) return 0;
  const uint64_t hash = hash_name(name);
  const size_t mask = table_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = table_[i];
    if (slot.node == 0) return 0;
    if (slot.tag != static_cast<uint32_t>(hash >> 32)) continue;
    const Bytes stored = node_name(slot.node);
    if (stored.size() == name.size() &&
        std::memcmp(stored.data(), name.data(), name.size()) == 0)
      return slot.node;
  }
}

Bytes Zones::node_name(uint32_t node) const {
  return {arena_.data() + node + layout::kName, arena_[node + layout::kNameLength]};
}

std::optional<Zones::Set> Zones::set_of(uint32_t node, uint16_t t) const {
  const uint8_t* at = arena_.data() + node;
  int sets = at[layout::kSets];
  at += layout::kName + at[layout::kNameLength];
  for (; sets > 0; --sets) {
    const auto stored = load<uint16_t>(at);
    if (t == stored || t == type::kAny)
      return Set{.type = stored,
                 .count = load<uint16_t>(at + 2),
                 .ttl = load<uint32_t>(at + 4),
                 .data = at + layout::kSetHead};
    at += layout::kSetHead + load<uint32_t>(at + 8);
  }
  return std::nullopt;
}

Zones::Found Zones::in_zone(uint32_t node) const {
  const Zone& zone = zones_[load<uint16_t>(arena_.data() + node)];
  Found f;
  f.authoritative = zone.authoritative;
  f.at_apex = zone.apex == node;
  f.apex = node_name(zone.apex);
  f.apex_node = zone.apex;
  return f;
}

Zones::Found Zones::at_node(uint32_t node, uint16_t t) const {
  Found f = in_zone(node);
  f.kind = Found::Kind::no_data;
  if (auto set = set_of(node, t)) {
    f.kind = Found::Kind::set;
    f.set = *set;
  } else if (auto alias = set_of(node, type::kCname)) {
    f.kind = Found::Kind::alias;
    f.set = *alias;
  }
  return f;
}

Zones::Found Zones::find(Bytes name, uint16_t t) const {
  const uint32_t exact = node_of(name);
  if (exact) return at_node(exact, t);
  // The closest encloser (RFC 4592 §2.2.1); outside our zones there is none.
  uint32_t encloser = 0;
  Bytes up = name;
  while (!encloser && up.size() > 1) {
    up = parent(up);
    encloser = node_of(up);
  }
  auto reverse = find_reverse(name, t);
  if (!encloser) return reverse ? *reverse : Found{};
  Found f = in_zone(encloser);
  if (reverse && reverse->apex.size() > f.apex.size()) return *reverse;
  f.kind = Found::Kind::no_name;
  f.at_apex = false;
  if (!(arena_[encloser + layout::kFlags] & layout::kHasWildcard)) return f;
  std::array<uint8_t, kMaxName> star{1, '*'};
  if (up.size() + 2 > star.size()) return f;
  std::memcpy(star.data() + 2, up.data(), up.size());
  return at_node(node_of({star.data(), up.size() + 2}), t);
}

std::optional<Zones::Found> Zones::find_reverse(Bytes name, uint16_t t) const {
  if (overlay_.empty()) return std::nullopt;
  const auto asked = parse_reverse(name);
  if (!asked) return std::nullopt;
  const auto overlay = std::ranges::find_if(overlay_, [&](const Prefix& p) {
    return p.contains(asked->network) && asked->network.bits() >= zone_bits(p);
  });
  if (overlay == overlay_.end()) return std::nullopt;

  const Address& address = asked->network.address();
  const int step = address.is_v4() ? 8 : 4;
  Found f;
  f.apex = asked->name;
  for (int bits = asked->network.bits(); bits > zone_bits(*overlay); bits -= step)
    f.apex = parent(f.apex);
  f.at_apex = f.apex.size() == name.size();
  f.kind = Found::Kind::no_name;
  if (!asked->exact) return f;

  const auto bytes = address.bytes();
  const int host_bits = address.bits() - asked->network.bits();
  std::pair<size_t, size_t> range;
  const uint32_t* nodes;
  if (address.is_v4()) {
    const uint32_t low = ntohl(load<uint32_t>(bytes.data()));
    const uint32_t high = low | static_cast<uint32_t>((uint64_t{1} << host_bits) - 1);
    range = range_of(v4_, low, high);
    nodes = v4_nodes_.data();
  } else {
    V6 low, high;
    std::ranges::copy(bytes, low.begin());
    high = low;
    for (int bit = 0; bit < host_bits; bit += 4) {
      auto& b = high[15 - static_cast<size_t>(bit / 8)];
      b = static_cast<uint8_t>(b | (bit % 8 ? 0xf0 : 0x0f));
    }
    range = range_of(v6_, low, high);
    nodes = v6_nodes_.data();
  }
  const auto [first, last] = range;
  if (first == last) {
    if (f.at_apex) f.kind = Found::Kind::no_data;
    return f;
  }
  f.kind = Found::Kind::no_data;
  if (host_bits > 0 || (t != type::kPtr && t != type::kAny)) return f;
  f.kind = Found::Kind::set;
  const auto count = static_cast<uint16_t>(std::min(last - first, kMaxSetSize));
  const auto forward = set_of(nodes[first], address.is_v4() ? type::kA : type::kAaaa);
  f.set = {.type = type::kPtr,
           .count = count,
           .ttl = forward ? forward->ttl : kNegativeTtl,
           .zones = this,
           .owners = nodes + first};
  return f;
}

Zones::Set Zones::soa_of(const Found& found) const {
  const auto soa = found.apex_node ? set_of(found.apex_node, type::kSoa) : std::nullopt;
  return soa.value_or(Set{});
}

size_t Zones::memory() const {
  return arena_.capacity() + table_.capacity() * sizeof(Slot) +
         zones_.capacity() * sizeof(Zone) + v4_.capacity() * (sizeof(V4) + 4) +
         v6_.capacity() * (sizeof(V6) + 4);
}

}  // namespace wigeon::dns
